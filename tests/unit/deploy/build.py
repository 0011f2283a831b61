"""What kustomize makes of deploy/, as documents, and its pods whatever kind they belong to."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, cast

import pytest
import yaml

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
OVERLAYS = ("dev", "prod", "eventing-only")
VARIANT = "variant"
BUILDS = (*OVERLAYS, VARIANT)
"""The overlays, and one of the components that none of them uses, with what these need."""

TOKENS_WITHOUT_SERVING = "tokens-without-serving"
COMPONENTS = {
    VARIANT: (
        "kafka-strimzi", "postgres-cnpg", "serving", "serving-hpa", "canary", "storefront",
        "gateway-api", "oidc",
    ),
    TOKENS_WITHOUT_SERVING: ("kafka-strimzi", "postgres-cnpg", "plain-http", "keda", "oidc"),
}  # fmt: skip
WITH_PODS = {
    "Deployment": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "ContainerSource": ("spec", "template"),
    "JobSink": ("spec", "job", "spec", "template"),
}

Document = dict[str, Any]


class Pod(NamedTuple):
    """A pod's template; `kind` is what makes pods of it."""

    kind: str
    name: str
    labels: dict[str, str]
    spec: Document

    @property
    def container(self) -> Document:
        [container] = self.spec["containers"]
        return container

    @property
    def ours(self) -> bool:
        """Whether it runs `quire`; the storefront's image is another one."""
        return self.container["image"].rpartition(":")[0].endswith("quire")

    @property
    def serves(self) -> bool:
        """Whether it stays, and so has to say how it is."""
        return self.kind not in {"Job", "CronJob", "JobSink"}


def kustomize() -> list[str]:
    """The command that builds; skips where there is none."""
    if shutil.which("kubectl"):
        return ["kubectl", "kustomize"]
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    pytest.skip("neither kubectl nor kustomize is here")


@cache
def rendered(name: str) -> tuple[Document, ...]:
    """All documents of a build."""
    if name in OVERLAYS:
        return _built(DEPLOY / "overlays" / name)
    with TemporaryDirectory(dir=DEPLOY, prefix=".variant-") as directory:
        way = os.path.relpath(DEPLOY, directory)
        kustomization = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [f"{way}/base"],
            "components": [f"{way}/components/{each}" for each in COMPONENTS[name]],
            "images": [{"name": "quire", "newTag": "0.1.0"}],
        }
        (Path(directory) / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        return _built(Path(directory))


def _built(directory: Path) -> tuple[Document, ...]:
    done = subprocess.run(
        [*kustomize(), str(directory)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return tuple(each for each in yaml.safe_load_all(done.stdout) if each)


def of_kind(name: str, *kinds: str) -> list[Document]:
    return [each for each in rendered(name) if each["kind"] in kinds]


def title(document: Document) -> str:
    return f"{document['kind']} {document['metadata']['name']}"


def is_knative_service(document: Document) -> bool:
    return document["kind"] == "Service" and document["apiVersion"].startswith("serving.")


def pods(name: str) -> Iterator[Pod]:
    """The pods of a build that are ours; Kafka's and Postgres' are their operators'."""
    for document in rendered(name):
        kind = document["kind"]
        way = ("spec", "template") if is_knative_service(document) else WITH_PODS.get(kind, ())
        if not way:
            continue
        template: Any = document
        for step in way:
            template = template[step]
        labels = template.get("metadata", {}).get("labels", {})
        yield Pod(kind, document["metadata"]["name"], labels, template["spec"])


def walk(value: object, way: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Document]]:
    """Each mapping within, with the names that lead to it."""
    if isinstance(value, dict):
        found = cast("Document", value)
        yield way, found
        for key, inner in found.items():
            yield from walk(inner, (*way, key))
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from walk(inner, way)
