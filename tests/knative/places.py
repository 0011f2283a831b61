"""Where on this machine a pod's words lead: each pod on a loopback address of its own.

So every process listens on the very port that its manifest names, however many share it. Needs a
system on which all of 127.0.0.0/8 is there, as it is on Linux.
"""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.knative.secrets import Secrets
from tests.unit.deploy.build import Document, Pod, is_knative_service, of_kind

READ_ONLY = "/dev/null"
"""Nothing can be made within it, as in a root file system that is read-only."""
LABEL = re.compile(r"metadata\.labels\['(.+)'\]")


OURS = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
"""What any program of ours on this machine needs."""


class Missing(Exception):
    """The manifests name something that nothing gives."""


class Places:
    """Turns what the manifests of `build` say into what is true here."""

    def __init__(
        self, build: str, pods: list[Pod], directory: Path, words: Mapping[str, str],
        secrets: Secrets, more: Mapping[str, str],
    ) -> None:  # fmt: skip
        """`words` lead to the true servers; `more` is told to each pod besides."""
        self._directory = directory
        self._address = {pod.name: f"127.0.87.{n}" for n, pod in enumerate(pods, 1)}
        self._ports = _ports(build, pods)
        self._maps = {
            each["metadata"]["name"]: each["data"] for each in of_kind(build, "ConfigMap")
        }
        self._words = dict(words)
        for name, port in self._ports.items():
            self._words[f"{name}.quire.svc.cluster.local"] = f"{self._address[name]}:{port}"
        self._secrets = secrets
        self._more = more

    def here(self, text: str, pod: Pod) -> str:
        """An address or a path of the pod, as it is on this machine."""
        for word, true in self._words.items():
            text = text.replace(word, true)
        if text == "0.0.0.0":
            return self._address[pod.name]
        mounts = {mount["mountPath"] for mount in pod.container.get("volumeMounts", [])}

        def home(path: re.Match[str]) -> str:
            return str(self._directory / pod.name if path[0] in mounts else READ_ONLY) + path[0]

        return re.sub(rf"(?<![^=])({'|'.join({'/tmp', *mounts})})(?=/|$)", home, text)

    def url(self, ref: Document, uri: str) -> str:
        """Where a sink that is a Service leads."""
        name = ref["name"]
        return f"http://{self._address[name]}:{self._ports[name]}{uri}"

    def environment(self, pod: Pod) -> dict[str, str]:
        """What the container is told, and what any program on this machine needs; nothing else."""
        told: dict[str, str] = {}
        for source in pod.container.get("envFrom", []):
            told |= self._map(source["configMapRef"]["name"])
        for variable in pod.container.get("env", []):
            value = self._value(pod, variable)
            if value is not None:
                told[variable["name"]] = value
        for mount in pod.container.get("volumeMounts", []):
            self._mount(pod, mount)
        here = {name: self.here(text, pod) for name, text in told.items()}
        return {**OURS, **here, **self._more}

    def command(self, pod: Pod) -> list[str]:
        """The image's entry point with the arguments of the manifest."""
        words = [self.here(word, pod) for word in pod.container["args"]]
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

    def _value(self, pod: Pod, variable: Mapping[str, Any]) -> str | None:
        if "value" in variable:
            return variable["value"]
        source = variable["valueFrom"]
        if "fieldRef" in source:
            label = LABEL.fullmatch(source["fieldRef"]["fieldPath"])
            if label is None or label[1] not in pod.labels:
                raise Missing(f"{pod.name} has no {source['fieldRef']['fieldPath']}")
            return pod.labels[label[1]]
        ref = source["secretKeyRef"]
        value = self._secrets.get((ref["name"], ref["key"]))
        if value is None and not ref.get("optional"):
            raise Missing(f"no secret {ref['name']} with {ref['key']}")
        return value

    def _mount(self, pod: Pod, mount: Document) -> None:
        [volume] = [each for each in pod.spec["volumes"] if each["name"] == mount["name"]]
        path = self._directory / pod.name / mount["mountPath"].lstrip("/")
        path.mkdir(parents=True, exist_ok=True)
        for name, text in self._files(volume).items():
            (path / name).write_text(text)

    def _files(self, volume: Document) -> dict[str, str]:
        if "configMap" in volume:
            return self._map(volume["configMap"]["name"])
        if "secret" not in volume:
            return {}
        name, items = volume["secret"]["secretName"], volume["secret"]["items"]
        missing = [item["key"] for item in items if (name, item["key"]) not in self._secrets]
        if missing:
            raise Missing(f"no secret {name} with {missing}")
        return {item["path"]: self._secrets[name, item["key"]] for item in items}


def _ports(build: str, pods: list[Pod]) -> dict[str, int]:
    """Where each that answers requests listens: a Service's own word, if it is a plain one."""
    named = {
        pod.name: {port.get("name", ""): port["containerPort"] for port in pod.container["ports"]}
        for pod in pods
        if "ports" in pod.container
    }
    found = {name: next(iter(ports.values())) for name, ports in named.items()}
    for service in of_kind(build, "Service"):
        if is_knative_service(service) or "selector" not in service["spec"]:
            continue
        [port] = service["spec"]["ports"]
        name = service["spec"]["selector"]["app.kubernetes.io/name"]
        if port["targetPort"] not in named.get(name, {}):
            raise Missing(f"{name} has no port {port['targetPort']}")
        found[service["metadata"]["name"]] = named[name][port["targetPort"]]
    return found
