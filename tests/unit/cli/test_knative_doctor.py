"""The doctor of a cluster names the first thing that is wrong, on an API server of our own."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner

from cli import knative_doctor
from cli.knative_doctor import OVERLAYS, SECRETS, looks
from cli.main import quire
from tests.unit.deploy.build import rendered

GROUPS = (
    "serving.knative.dev", "eventing.knative.dev", "sources.knative.dev", "messaging.knative.dev",
    "kafka.strimzi.io", "postgresql.cnpg.io", "keda.sh",
)  # fmt: skip
PLURALS = {
    "KafkaUser": "kafkausers",
    "Kafka": "kafkas", "KafkaTopic": "kafkatopics", "Cluster": "clusters", "Job": "jobs",
    "Deployment": "deployments", "KafkaSink": "kafkasinks", "Service": "services",
    "Broker": "brokers", "KafkaChannel": "kafkachannels", "Subscription": "subscriptions",
    "Trigger": "triggers", "KafkaSource": "kafkasources", "NetworkPolicy": "networkpolicies",
}  # fmt: skip
CORE = "/api/v1/namespaces/quire"
CONDITIONS = ("Ready", "Available", "Complete")


class Api(ThreadingHTTPServer):
    """Answers with what stands in `objects`, by path; what is posted reaches the wall."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.daemon_threads = True
        self.objects = cluster("dev")
        self.wall = "wall-00001-private"
        self.heard: list[str] = []
        self.broker_says = 202
        self.delivers = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Api  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.endswith("/proxy/minutes") and knative_doctor.POLICY in self.server.objects:
            self._say(502, {"kind": "Status", "code": 502})  # as the policies have it
            return
        if path.endswith(f"/services/{self.server.wall}:80/proxy/minutes"):
            self._say(200, {"minutes": {}, "attention": self.server.heard})
            return
        found = self.server.objects.get(path)
        self._say(404 if found is None else 200, found or {"kind": "Status", "code": 404})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        if self.server.delivers:
            self.server.heard.append(f"{self.headers['ce-subject']} {self.headers['ce-type']}")
        self._say(self.server.broker_says, {})

    def _say(self, status: int, document: object) -> None:
        text = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        pass


def cluster(overlay: str) -> dict[str, Any]:
    """Everything of an overlay, and all of it well."""
    objects: dict[str, Any] = {f"/apis/{group}": {"kind": "APIGroup"} for group in GROUPS}
    objects["/version"] = {"major": "1", "minor": "34"}
    if overlay == "eventing-only":
        del objects["/apis/serving.knative.dev"]
    for name in (*SECRETS, "smtp", "knative-kafka"):
        objects[f"{CORE}/secrets/{name}"] = {"kind": "Secret", "data": {"ca.crt": "QQ=="}}
    well = [{"type": each, "status": "True"} for each in CONDITIONS]
    for document in rendered(overlay):
        if document["kind"] not in PLURALS or document["apiVersion"] == "v1":
            continue
        space, name = document["metadata"]["namespace"], document["metadata"]["name"]
        path = f"/apis/{document['apiVersion']}/namespaces/{space}/{PLURALS[document['kind']]}"
        there = {
            **document,
            "status": {
                "conditions": [dict(each) for each in well],
                "address": {"url": "http://it"},
                "latestReadyRevisionName": f"{name}-00001",
            },
        }
        objects.setdefault(path, {"items": []})["items"].append(there)
        objects[f"{path}/{name}"] = there
    return objects


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setattr(knative_doctor, "PROBE_SECONDS", 0.3)
    with Api() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def examined(url: str, overlay: str = "dev") -> tuple[int, list[dict[str, Any]]]:
    words = ["knative", "doctor", "--api", url, "--overlay", overlay, "--json"]
    done = CliRunner().invoke(quire, words)
    code = done.exit_code if not done.exception else getattr(done.exception, "code", 1)
    return code, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_cluster_that_is_well(api: Api, overlay: str):
    api.objects = cluster(overlay)
    if overlay == "eventing-only":
        api.wall = "wall"
    code, found = examined(api.url, overlay)
    assert [each for each in found if not each["ok"]] == []
    assert (code, len(found)) == (0, len(looks(overlay)))
    assert len(api.heard) == 1


def test_behind_network_policies_it_ends_at_the_broker_and_says_what_looks_on(api: Api):
    api.objects = cluster("prod")
    done = CliRunner().invoke(quire, ["knative", "doctor", "--api", api.url, "--overlay", "prod"])
    assert done.exit_code == 0
    _, _, unseen = done.stdout.partition("ok      the Broker takes an event\n")
    assert "not looked at: whether it came to the wall" in unseen
    assert "port-forward service/kourier-internal 8088:80" in unseen
    [heard] = api.heard
    assert unseen.rstrip().endswith(f"grep -o {heard.split()[0]}")


def test_without_network_policies_the_wall_has_to_hear_of_it(api: Api):
    api.objects = cluster("prod")
    del api.objects[knative_doctor.POLICY]
    api.delivers = False
    code, found = examined(api.url, "prod")
    assert (code, found[-1]["unseen"]) == (1, "")
    assert "it did not arrive" in found[-1]["wrong"]


def test_what_only_prod_needs(api: Api):
    api.objects = cluster("prod")
    api.objects[f"{CORE}/secrets/knative-kafka"]["data"]["ca.crt"] = ""
    code, found = examined(api.url, "prod")
    assert (code, found[-1]["what"]) == (1, "Knative can sign in to Kafka")
    assert "once Kafka is ready" in found[-1]["fix"]


def test_without_serving_nothing_of_it_is_looked_for(api: Api):
    api.objects = cluster("eventing-only")
    code, found = examined(api.url)
    assert (code, found[-1]["what"]) == (1, "Knative Serving installed")


def away(path: str) -> Callable[[Api], None]:
    def change(api: Api) -> None:
        del api.objects[path]

    return change


def unwell(path: str, type: str = "Ready") -> Callable[[Api], None]:
    def change(api: Api) -> None:
        for each in api.objects[path]["items"][-1]["status"]["conditions"]:
            if each["type"] == type:
                each.update(status="False", message="it says why")

    return change


def answering(status: int) -> Callable[[Api], None]:
    return lambda api: setattr(api, "broker_says", status)


def without_delivery(api: Api) -> None:
    api.delivers = False


def without_address(api: Api) -> None:
    del api.objects[f"{KNATIVE}/quire/brokers/default"]["status"]["address"]


KNATIVE = "/apis/eventing.knative.dev/v1/namespaces"
KAFKA = "/apis/kafka.strimzi.io/v1/namespaces/quire"
CNPG = "/apis/postgresql.cnpg.io/v1/namespaces/quire"
APPS = "/apis/apps/v1/namespaces/quire"
BATCH = "/apis/batch/v1/namespaces/quire"


@pytest.mark.parametrize(
    ("change", "what", "wrong"),
    [
        (away("/apis/keda.sh"), "KEDA installed", "there is no keda.sh"),
        (away("/apis/sources.knative.dev"), "Knative's sources", "there is no sources"),
        (away("/api/v1/namespaces/quire/secrets/quire-keys"), "secret quire-keys", "not there"),
        (unwell(f"{KAFKA}/kafkatopics"), "topics", "it says why"),
        (away(f"{CNPG}/clusters"), "Postgres", "there is none"),
        (unwell(f"{BATCH}/jobs", "Complete"), "migration", "migrate: it says"),
        (unwell(f"{APPS}/deployments", "Available"), "processes", "says why"),
        (unwell(f"{KNATIVE}/quire-analytics/brokers"), "Broker of quire-analytics", "says why"),
        (unwell(f"{KNATIVE}/quire/triggers"), "Triggers", "it says why"),
        (answering(404), "an event goes", "the Broker answers 404"),
        (without_delivery, "an event goes", "it did not arrive"),
        (without_address, "the Broker has an address", "it has none"),
    ],
)
def test_the_first_thing_that_is_wrong(
    api: Api, change: Callable[[Api], None], what: str, wrong: str
):
    change(api)
    code, found = examined(api.url)
    assert code == 1
    assert all(each["ok"] for each in found[:-1])
    assert found[-1]["what"].startswith(what)
    assert wrong in found[-1]["wrong"]
    assert found[-1]["fix"]


def test_no_api_at_all():
    code, found = examined("http://127.0.0.1:1")
    assert (code, len(found)) == (1, 1)
    assert "kubectl proxy" in found[0]["fix"]
    done = CliRunner().invoke(quire, ["knative", "doctor", "--api", "http://127.0.0.1:1"])
    assert done.stdout.splitlines()[0] == (
        "not ok  nothing answers at http://127.0.0.1:1 (connection refused)"
    )
