"""The processes of a rehearsal: started as their pods say, probed, ended."""

import subprocess
import time
from pathlib import Path

from tests.knative.places import Places
from tests.unit.deploy.build import Pod, of_kind, pods

STAYS = ("Deployment", "Service", "ContainerSource")
SERVES = "quire.example/serves"
READY_SECONDS = 300.0  # as long as the pods' own startup probes wait
SIGTERM_OF_A_JVM = 143


class Failed(Exception):
    """Something is not as the manifests say."""


def say(text: str) -> None:
    print(text, flush=True)


def every(build: str) -> list[Pod]:
    """The pods of a build, and a second one of each that stands by while the first works."""
    found = list(pods(build))
    wanted = {
        each["metadata"]["name"]: each["spec"].get("replicas", 1)
        for each in of_kind(build, "Deployment")
    }
    standing_by = [
        pod._replace(name=f"{pod.name}-2")
        for pod in found
        if pod.kind == "Deployment" and wanted[pod.name] > 1 and SERVES not in pod.labels
    ]
    return [*found, *standing_by]


class Rehearsal:
    """The processes of one build."""

    def __init__(self, build: str, places: Places, directory: Path) -> None:
        self.build = build
        self.places = places
        self.pods = {pod.name: pod for pod in every(build)}
        self._logs = directory / "log"
        self._logs.mkdir()
        self._running: dict[str, tuple[subprocess.Popen[bytes], Pod | None]] = {}

    def start(
        self, name: str, command: list[str], environment: dict[str, str], pod: Pod | None
    ) -> None:
        with (self._logs / name).open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self._running[name] = process, pod

    def run(self, name: str, command: list[str], environment: dict[str, str]) -> str:
        """Run to the end; raises Failed when it does not end well."""
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"{name} ended with {done.returncode}: {done.stdout}{done.stderr}"[-3000:])
        return done.stdout

    def until_ready(self) -> None:
        """Every probe that a pod has says yes; raises Failed."""
        end = time.monotonic() + READY_SECONDS
        for name, (process, pod) in self._running.items():
            if pod is None:
                continue
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                if probe in pod.container:
                    self._until(name, process, pod, probe, end)

    def _until(
        self, name: str, process: subprocess.Popen[bytes], pod: Pod, probe: str, end: float
    ) -> None:
        command = self.places.probe(pod, pod.container[probe])
        environment = self.places.environment(pod)
        said = ""
        while time.monotonic() < end:
            if process.poll() is not None:
                raise Failed(f"{name} ended with {process.returncode}: {self.log(name)}")
            asked = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False
            )
            if asked.returncode == 0:
                return
            said = asked.stderr.strip()
            time.sleep(0.2)
        raise Failed(f"{name}: {probe} says {said!r}: {self.log(name)}")

    @property
    def count(self) -> int:
        return len(self._running)

    def log(self, name: str) -> str:
        return (self._logs / name).read_text()[-3000:]

    def kill(self, name: str) -> None:
        """End a process by kill -9."""
        process, _ = self._running.pop(name)
        process.kill()
        process.wait()

    def stop(self, *names: str) -> None:
        """SIGTERM for these, or for all; each has its pod's grace period. Raises Failed."""
        ending = {name: self._running.pop(name) for name in names or list(self._running)}
        for process, _ in ending.values():
            process.terminate()
        wrong: list[str] = []
        for name, (process, pod) in ending.items():
            seconds = 30 if pod is None else pod.spec.get("terminationGracePeriodSeconds", 30)
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            if code and not (pod is None and code == SIGTERM_OF_A_JVM):
                wrong.append(f"{name} ended with {code}: {self.log(name)[-500:]}")
        if wrong:
            raise Failed("\n".join(wrong))
