"""The files for containers fit each other; nothing here needs an engine."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from stack.rights import USERS

ROOT = Path(__file__).parents[2]
COMPOSE = [ROOT / "docker-compose.yml", *sorted((ROOT / "deploy" / "compose").glob("*.yml"))]
READ = re.compile(r"\$\{([A-Z_]+)(?::?-([^}]*))?\}")
TOLD = re.compile(r"^#([A-Z_]+)=(.*)$", re.MULTILINE)
SECRET = re.compile(r"PASSWORD|SECRET|_KEY")


def project() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE[0].read_text())


def read() -> dict[str, set[str]]:
    """Each variable that a compose file reads, with its defaults."""
    found: dict[str, set[str]] = {}
    for page in COMPOSE:
        for name, default in READ.findall(page.read_text()):
            found.setdefault(name, set()).add(default)
    return found


def environments() -> dict[str, dict[str, object]]:
    return {name: service.get("environment", {}) for name, service in project()["services"].items()}


def test_the_example_tells_each_variable_with_its_default():
    told = dict(TOLD.findall((ROOT / ".env.example").read_text()))
    assert {name: {default} for name, default in told.items()} == read()


def test_the_example_explains_each_variable():
    above = ""
    for line in (ROOT / ".env.example").read_text().splitlines():
        if TOLD.match(line):
            assert above.startswith("#"), line
        above = line


def test_no_secret_stands_in_the_environment():
    for name, told in environments().items():
        for variable, value in told.items():
            if SECRET.search(variable):
                assert variable.endswith("_FILE"), (name, variable)
                assert str(value).startswith("/run/"), (name, variable)
    assert all(name.endswith("_FILE") for name in read() if SECRET.search(name))


def test_each_secret_is_given_to_whoever_is_told_its_file():
    for name, service in project()["services"].items():
        files = {str(value) for value in service.get("environment", {}).values()}
        wanted = {Path(file).name for file in files if file.startswith("/run/secrets/")}
        assert set(service.get("secrets", ())) == wanted, name


def mounted(volume: str) -> set[str]:
    return {
        name
        for name, service in project()["services"].items()
        if any(each.partition(":")[0] == volume for each in service.get("volumes", ()))
    }


def test_the_keys_that_were_made_here_are_mounted_for_those_who_use_them():
    opening = {"worker-notification", "worker-dead-letters"}  # contacts
    assert mounted("state") == {"api", "intake", "provider", "sealer", "quire"} | opening
    keeping = {
        name
        for name, told in environments().items()
        if told.get("QUIRE_STATE_DIR") == "/var/lib/quire"
    }
    assert keeping == mounted("state")


def test_the_password_of_the_database_is_mounted_for_those_who_are_told_its_file():
    told = {name for name, one in environments().items() if one.get("QUIRE_POSTGRES_DSN_FILE")}
    assert mounted("keys-app") == told | {"keys", "postgres"}
    owners = {
        name for name, one in environments().items() if "QUIRE_POSTGRES_OWNER_DSN_FILE" in one
    }
    assert mounted("keys-owner") == owners | {"keys", "postgres"}


def test_nothing_is_published_but_on_loopback():
    for page in COMPOSE:
        for name, service in yaml.safe_load(page.read_text()).get("services", {}).items():
            assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name


def test_the_version_is_that_of_the_project():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"ARG VERSION={version}\n" in (ROOT / "Dockerfile").read_text()
    assert read()["QUIRE_VERSION"] == {version}


def test_the_image_holds_each_room_that_runs():
    rooms = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = rooms["tool"]["setuptools"]["packages"]["find"]["include"]
    text = (ROOT / "Dockerfile").read_text()
    for room in (package.rstrip("*") for package in packages):
        assert f"COPY {room} {room}\n" in text
        assert f"!{room}\n" in (ROOT / ".dockerignore").read_text()


def test_whoever_waits_is_waited_for():
    """`up --wait` takes a job that has ended for ill, unless somebody waits for its end."""
    services = project()["services"]
    ended = {
        job
        for service in services.values()
        for job, on in service.get("depends_on", {}).items()
        if on["condition"] == "service_completed_successfully"
    }
    jobs = {
        name
        for name, service in services.items()
        if service["restart"] == "no" and "profiles" not in service
    }
    assert jobs == ended


@pytest.mark.skipif(find_spec("cyclonedx_py") is None, reason="cyclonedx-bom is not installed")
def test_the_list_of_contents_tells_each_wheel_and_nothing_of_this_machine(tmp_path: Path):
    told = tmp_path / "told.json"
    words = ["requirements", "requirements.txt", "--pyproject", "pyproject.toml", "-o", str(told)]
    command = [sys.executable, "-m", "cyclonedx_py", *words, "--output-reproducible"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    listed = {each["name"] for each in msgspec.json.decode(told.read_bytes())["components"]}
    locked = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert listed == set(locked)
    assert str(ROOT) not in told.read_text()


def compose_is_missing() -> str:
    try:
        done = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    except FileNotFoundError:
        return "docker is not installed"
    return "" if done.returncode == 0 else "docker compose is not installed"


OVERRIDES = [[], *([page] for page in COMPOSE[1:])]
PROFILES = ["", "cli", "observability", "tools", "*"]


@pytest.mark.skipif(bool(compose_is_missing()), reason=compose_is_missing())
@pytest.mark.parametrize("override", OVERRIDES, ids=lambda pages: str([p.stem for p in pages]))
@pytest.mark.parametrize("profile", PROFILES)
def test_compose_takes_each_profile_and_override(profile: str, override: list[Path]):
    words = [word for page in [COMPOSE[0], *override] for word in ("--file", str(page))]
    done = subprocess.run(
        ["docker", "compose", *words, "--profile", profile, "config", "--quiet"],
        capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_every_profile_is_tried():
    named = {p for service in project()["services"].values() for p in service.get("profiles", ())}
    assert named | {"", "*"} == set(PROFILES)


def secure() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "deploy" / "compose" / "secure.yml").read_text())["services"]


@pytest.mark.parametrize("page", COMPOSE, ids=lambda page: page.stem)
def test_kafkas_health_starts_no_java_before_a_listener_of_its_own_takes_connections(page: Path):
    kafka = yaml.safe_load(page.read_text())["services"]["kafka"]
    asked = kafka["healthcheck"]["test"][-1]
    [port] = set(re.findall(r"localhost[:/](\d+)", asked))
    assert asked.startswith(f"</dev/tcp/localhost/{port} && exec ")
    assert re.search(rf"\w+://(localhost)?:{port}\b", kafka["environment"]["KAFKA_LISTENERS"])


def test_each_process_signs_in_to_kafka_as_itself_with_its_own_password():
    told = {
        name: (service["environment"]["QUIRE_KAFKA_USERNAME"], volume["volume"]["subpath"])
        for name, service in secure().items()
        for volume in service.get("volumes", ())
        if "QUIRE_KAFKA_USERNAME" in service.get("environment", {})
    }
    verbs = {"topics", "rights", "quire"}
    assert told == {name: (name, name) for name in USERS} | dict.fromkeys(verbs, ("admin", "admin"))


def test_no_process_starts_before_it_has_its_rights():
    for name in USERS:
        assert "rights" in secure()[name]["depends_on"], name


def test_the_secure_postgres_takes_nobody_in_the_clear():
    lines = (ROOT / "deploy" / "compose" / "pg_hba.conf").read_text().splitlines()
    rules = [line.split() for line in lines if line and not line.startswith("#")]
    assert {(rule[0], rule[-1]) for rule in rules} == {
        ("local", "peer"),
        ("hostssl", "scram-sha-256"),
    }
    ours = set(secure()["postgres"]["command"][1:])
    base = project()["services"]["postgres"]["command"][1:]
    assert {f"--{word}" for word in base if word != "-c"} <= ours
