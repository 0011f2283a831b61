"""The receiver and the dispatchers of Knative's Kafka data plane, as plain processes on loopback.

They are built elsewhere (docs/knative.md says how) and given as the directory `data-plane` of their
source, which holds their settings too. Those are changed by the very command of deploy/README.md.
"""

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import yaml

from stack.jars import java_home
from tests.knative import contract
from tests.unit.deploy.build import DEPLOY, Document

MEMORY = "-Xmx256m"
_RECIPE = re.compile(r"\| sed '(.+?)'", re.DOTALL)
_LOG = """\
<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{HH:mm:ss.SSS} %-5level %logger{0} %msg %xEx{3}%n</pattern></encoder>
  </appender>
  <logger name="org.apache.kafka" level="ERROR"/>
  <root level="WARN"><appender-ref ref="out"/></root>
</configuration>
"""


class Part(NamedTuple):
    """One process: `settings` names the directory of its settings, which is the kind it serves."""

    jar: str
    settings: str


RECEIVER = Part("receiver-loom", "sink")
SOURCES = Part("dispatcher-loom", "source")
TRIGGERS = Part("dispatcher-loom", "broker")


class Plane:
    """The built data plane, and a directory for what its processes are told."""

    def __init__(self, built: Path, directory: Path) -> None:
        self._built = built
        self._directory = directory / "plane"

    def prepare(self, part: Part, resources: list[Document]) -> Path:
        """Write what a process reads; gives its directory. Raises FileNotFoundError."""
        where = self._directory / part.settings
        for name in ("contract", "features", "observability", "home"):
            (where / name).mkdir(parents=True, exist_ok=True)
        told = settings(self._built / "config" / part.settings)
        for name, text in told.items():
            (where / name).write_text(text)
        (where / "log.xml").write_text(_LOG)
        contract.write(where / "contract" / "data", resources)
        return where

    def command(self, part: Part) -> list[str]:
        where = self._directory / part.settings
        jar = self._built / part.jar / "target" / f"{part.jar}-1.0-SNAPSHOT.jar"
        return [
            str(java_home() / "bin" / "java"), MEMORY, "-XX:+UseSerialGC",
            "-Djava.net.preferIPv4Stack=true", f"-Duser.home={where / 'home'}",
            f"-Dlogback.configurationFile={where / 'log.xml'}", "-jar", str(jar),
        ]  # fmt: skip

    def environment(self, part: Part, port: int = 0) -> dict[str, str]:
        """As its Deployment in `config` has it; a dispatcher has no port."""
        where, kind = self._directory / part.settings, part.settings

        def file(name: str) -> str:
            return str(where / f"config-kafka-{kind}-{name}.properties")

        return {
            "PATH": os.environ["PATH"],
            "HOME": str(where / "home"),
            "SERVICE_NAME": f"kafka-{kind}-{part.jar}",
            "SERVICE_NAMESPACE": "knative-eventing",
            "INSTANCE_ID": kind,
            "INGRESS_PORT": str(port),
            "INGRESS_TLS_PORT": "0",
            "LIVENESS_PROBE_PATH": "/healthz",
            "READINESS_PROBE_PATH": "/readyz",
            "PRODUCER_CONFIG_FILE_PATH": file("producer"),
            "CONSUMER_CONFIG_FILE_PATH": file("consumer"),
            "WEBCLIENT_CONFIG_FILE_PATH": file("webclient"),
            "HTTPSERVER_CONFIG_FILE_PATH": file("httpserver"),
            "DATA_PLANE_CONFIG_FILE_PATH": str(where / "contract" / "data"),
            "CONFIG_FEATURES_PATH": str(where / "features"),
            "CONFIG_OBSERVABILITY_PATH": str(where / "observability"),
            "EGRESSES_INITIAL_CAPACITY": "20",
            "METRICS_PUBLISH_QUANTILES": "false",
            "METRICS_JVM_ENABLED": "false",
            "HTTP2_DISABLE": "true",
            "WAIT_STARTUP_SECONDS": "30",
        }


def settings(directory: Path) -> dict[str, str]:
    """Each file of the settings of a kind, as deploy/README.md has them changed; on loopback."""
    [path] = directory.glob("100-config-*.yaml")
    done = subprocess.run(
        ["sed", recipe()], input=path.read_text(), capture_output=True, text=True, check=True
    )
    told = {
        name: text
        for name, text in yaml.safe_load(done.stdout)["data"].items()
        if name.endswith(".properties")
    }
    return {
        name: f"{text}host=127.0.0.1\n" if "httpserver" in name else text
        for name, text in told.items()
    }


def recipe() -> str:
    """The script by which deploy/README.md changes the settings of the data plane."""
    [found] = _RECIPE.findall((DEPLOY / "README.md").read_text())
    return found
