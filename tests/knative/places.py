"""Where on this machine a pod's words lead: each pod on a loopback address of its own.

So every process listens on the very port that its manifest names, however many share it. Needs a
system on which all of 127.0.0.0/8 is there, as it is on Linux.
"""

import base64
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.unit.deploy.build import Document, Pod, of_kind

SINKS = "kafka-sink-ingress.knative-eventing.svc.cluster.local"


class Missing(Exception):
    """The manifests name something that nothing gives."""


class Places:
    """Turns what the manifests of `build` say into what is true here."""

    def __init__(
        self, build: str, pods: list[Pod], directory: Path, told: Mapping[str, str]
    ) -> None:
        """`told` are the true servers: kafka, sinks (both as host:port), app_dsn and owner_dsn."""
        self._directory = directory
        self._address = {pod.name: f"127.0.87.{n}" for n, pod in enumerate(pods, 1)}
        self._ports = {
            pod.name: pod.container["ports"][0]["containerPort"]
            for pod in pods
            if "ports" in pod.container
        }
        self._maps = {
            each["metadata"]["name"]: each["data"] for each in of_kind(build, "ConfigMap")
        }
        [kafka] = of_kind(build, "Kafka")
        self._words = {
            f"{kafka['metadata']['name']}-kafka-bootstrap.quire.svc:9092": told["kafka"],
            SINKS: told["sinks"],
        }
        for name, port in self._ports.items():
            self._words[f"{name}.quire.svc.cluster.local"] = f"{self._address[name]}:{port}"
        self._secrets = {
            ("postgres-app", "dsn"): told["app_dsn"],
            ("postgres-owner", "dsn"): told["owner_dsn"],
            **{("quire-keys", key): _key() for key in ("master", "webhook", "seal")},
        }

    def here(self, text: str, pod: str) -> str:
        """An address or a path of the pod, as it is on this machine."""
        for word, true in self._words.items():
            text = text.replace(word, true)
        if text.startswith(("/tmp", "/stock")):
            path = self._directory / pod / text.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            return str(path)
        return self._address[pod] if text == "0.0.0.0" else text

    def url(self, ref: Document, uri: str) -> str:
        """Where a sink that is a Service leads."""
        name = ref["name"]
        return f"http://{self._address[name]}:{self._ports[name]}{uri}"

    def environment(self, pod: Pod) -> dict[str, str]:
        """What the container is told, and what any program on this machine needs; nothing else."""
        told = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
        for source in pod.container.get("envFrom", []):
            told |= self._map(source["configMapRef"]["name"])
        for variable in pod.container.get("env", []):
            value = self._value(variable)
            if value is not None:
                told[variable["name"]] = value
        for mount in pod.container.get("volumeMounts", []):
            self._mount(pod, mount)
        return {name: self.here(text, pod.name) for name, text in told.items()}

    def command(self, pod: Pod) -> list[str]:
        """The image's entry point with the arguments of the manifest."""
        words = [self.here(word, pod.name) for word in pod.container["args"]]
        return [sys.executable, "-m", "cli.main", *words]

    def probe(self, pod: Pod, probe: Document) -> list[str]:
        """The command that asks what the probe asks."""
        if "exec" in probe:
            return [sys.executable, *probe["exec"]["command"][1:]]
        asked = probe["httpGet"]
        address = f"http://{self._address[pod.name]}:{asked['port']}{asked['path']}"
        return [sys.executable, "-m", "cli.health", address]

    def _map(self, name: str) -> dict[str, str]:
        if name not in self._maps:
            raise Missing(f"no ConfigMap {name}")
        return dict(self._maps[name])

    def _value(self, variable: Mapping[str, Any]) -> str | None:
        if "value" in variable:
            return variable["value"]
        ref = variable["valueFrom"]["secretKeyRef"]
        value = self._secrets.get((ref["name"], ref["key"]))
        if value is None and not ref.get("optional"):
            raise Missing(f"no secret {ref['name']} with {ref['key']}")
        return value

    def _mount(self, pod: Pod, mount: Document) -> None:
        [volume] = [each for each in pod.spec["volumes"] if each["name"] == mount["name"]]
        path = self._directory / pod.name / mount["mountPath"].lstrip("/")
        path.mkdir(parents=True, exist_ok=True)
        for name, text in (
            self._map(volume["configMap"]["name"]).items() if "configMap" in volume else ()
        ):
            (path / name).write_text(text)


def host_and_port(url: str) -> str:
    return urlsplit(url).netloc


def _key() -> str:
    return base64.b64encode(os.urandom(32)).decode()
