"""Whoever moves money in a cluster asks one provider, with one ledger that outlives its pod."""

from urllib.parse import urlsplit

import pytest

from tests.unit.deploy.build import OVERLAYS, Document, Pod, of_kind, pods

WITHIN = ".quire.svc.cluster.local"
every_overlay = pytest.mark.parametrize("build", OVERLAYS)


def settings(build: str) -> dict[str, str]:
    [found] = [c for c in of_kind(build, "ConfigMap") if c["metadata"]["name"] == "quire-settings"]
    return found["data"]


def variables(pod: Pod) -> dict[str, Document]:
    return {each["name"]: each for each in pod.container.get("env", [])}


@every_overlay
def test_no_worker_keeps_a_ledger_of_its_own(build: str):
    """Of two pods neither would know what the other one authorised."""
    assert settings(build).get("QUIRE_PROVIDER_URL")
    askers = [pod for pod in pods(build) if pod.name in {"worker-payment", "reconciliation"}]
    assert len(askers) == 2
    for pod in askers:
        told = [each["configMapRef"]["name"] for each in pod.container["envFrom"]]
        assert told == ["quire-settings"], pod.name
        assert "QUIRE_PROVIDER_URL" not in variables(pod), pod.name


@every_overlay
def test_only_who_has_no_provider_outside_simulates_one(build: str):
    address = urlsplit(settings(build)["QUIRE_PROVIDER_URL"])
    running = [pod.name for pod in pods(build) if pod.container["args"] == ["run", "provider"]]
    if address.netloc.endswith(WITHIN):
        [service] = [
            each
            for each in of_kind(build, "Service")
            if each["metadata"]["name"] == address.netloc.removesuffix(WITHIN)
        ]
        assert running == [service["spec"]["selector"]["app.kubernetes.io/name"]]
        assert [port["port"] for port in service["spec"]["ports"]] == [80]
    else:
        assert address.scheme == "https"
        assert running == []


@every_overlay
def test_one_process_at_a_time_writes_where_it_stays(build: str):
    claims = {each["metadata"]["name"] for each in of_kind(build, "PersistentVolumeClaim")}
    kept: set[str] = set()
    for each in of_kind(build, "Deployment"):
        spec = each["spec"]["template"]["spec"]
        mine = {
            volume["name"]: volume["persistentVolumeClaim"]["claimName"]
            for volume in spec.get("volumes", [])
            if "persistentVolumeClaim" in volume
        }
        assert bool(mine) == (each["spec"]["strategy"]["type"] == "Recreate")
        if not mine:
            continue
        kept |= set(mine.values())
        [container] = spec["containers"]
        assert each["spec"]["replicas"] == 1
        assert spec["securityContext"]["fsGroup"] == spec["securityContext"]["runAsUser"]
        mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
        [state] = [v["value"] for v in container["env"] if v["name"] == "QUIRE_STATE_DIR"]
        assert [mounts[name] for name in mine] == [state]
    assert kept == claims
    assert bool(claims) == (build != "prod")


@pytest.mark.parametrize("build", [each for each in OVERLAYS if each != "prod"])
def test_its_notices_are_signed_with_the_secret_that_the_api_knows(build: str):
    by_name = {pod.name: pod for pod in pods(build)}
    provider, api = variables(by_name["provider"]), variables(by_name["orders-api"])
    assert provider["QUIRE_WEBHOOK_URL"]["value"] == f"http://orders-api{WITHIN}/webhooks/payments"
    assert provider["QUIRE_WEBHOOK_SECRET"] == api["QUIRE_WEBHOOK_SECRET"]
