"""Which processes there are and what their pages tell: of a local stack, or of a cluster's pods."""

import asyncio
import re
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import httpx

from stack import board
from stack.layout import LOOPBACK, Layout, Ports
from stack.processes import WORDS, metrics_ports
from stack.supervisor import State

SECONDS = 4.0
PAGES = {"metrics", "user-port"}
"""The names of the ports at which pods tell their metrics."""

_LINE = re.compile(r"^(quire_\w+|process_\w+?)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Figure(NamedTuple):
    """One line of a page."""

    name: str
    labels: dict[str, str]
    value: float


class Seen(NamedTuple):
    """What is there at a moment: those that are ready by their kind, and the pages that answered,
    each under a name that no other has, now or later."""

    ready: dict[str, int]
    pages: dict[str, list[Figure]]


class Watched(Protocol):
    """A place where Quire runs."""

    async def look(self, http: httpx.AsyncClient) -> Seen: ...


def read(page: str) -> list[Figure]:
    """The figures of a page in Prometheus' text format that are ours or the process' own."""
    return [
        Figure(name, dict(_LABEL.findall(labels)), float(value))
        for name, labels, value in _LINE.findall(page)
        if not name.endswith(("_bucket", "_created"))
    ]


class Local:
    """The stack on a state directory: its processes are the pods."""

    def __init__(self, state_dir: Path) -> None:
        self._layout = Layout(state_dir.absolute())

    async def look(self, http: httpx.AsyncClient) -> Seen:
        seen = board.read(self._layout)
        if seen is None or not seen.up:
            return Seen({}, {})
        ours = {
            each.name: each
            for each in seen.processes
            if each.state is State.READY and each.name in WORDS
        }
        ports = {**metrics_ports(seen.metrics_port), **_serving(Ports.from_base(seen.port_base))}
        addresses = {
            f"{name} {ours[name].pid}": f"http://{LOOPBACK}:{port}/metrics"
            for name, port in ports.items()
            if name in ours
        }
        return Seen(dict.fromkeys(ours, 1), await _pages(http, addresses))


class Cluster:
    """The pods of a namespace, by the API server at `api`: what `kubectl proxy` serves."""

    def __init__(self, api: str, namespace: str) -> None:
        self._pods = f"{api}/api/v1/namespaces/{namespace}/pods"

    async def look(self, http: httpx.AsyncClient) -> Seen:
        asked = {"labelSelector": "app.kubernetes.io/part-of=quire"}
        answer = await http.get(self._pods, params=asked)
        ready: dict[str, int] = {}
        addresses: dict[str, str] = {}
        for pod in answer.raise_for_status().json()["items"]:
            if not _is_ready(pod):
                continue
            kind = pod["metadata"]["labels"].get("app.kubernetes.io/name", "unknown")
            ready[kind] = ready.get(kind, 0) + 1
            name = pod["metadata"]["name"]
            for port in _ports(pod):
                addresses[name] = f"{self._pods}/{name}:{port}/proxy/metrics"
        return Seen(ready, await _pages(http, addresses))


def _serving(ports: Ports) -> dict[str, int]:
    return {"api": ports.api, "intake": ports.intake}


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _ports(pod: dict[str, Any]) -> list[int]:
    return [
        port["containerPort"]
        for container in pod["spec"]["containers"]
        for port in container.get("ports", [])
        if port.get("name") in PAGES
    ]


async def _pages(http: httpx.AsyncClient, addresses: dict[str, str]) -> dict[str, list[Figure]]:
    """Of those that answer."""

    async def fetched(address: str) -> list[Figure] | None:
        try:
            answer = await http.get(address, timeout=SECONDS)
        except httpx.HTTPError:
            return None
        return read(answer.text) if answer.is_success else None

    found = await asyncio.gather(*map(fetched, addresses.values()))
    return {name: page for name, page in zip(addresses, found, strict=True) if page is not None}
