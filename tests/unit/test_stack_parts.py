"""What the parts are made of: jars, topics, settings, processes."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest

from domain.catalog import TOPICS as COMMAND_TOPICS
from stack import jars, kafka, postgres, processes
from stack.errors import StackFault
from stack.jars import Jar
from stack.layout import Layout
from stack.topics import TOPICS

OUTCOMES_ARE_KEPT = timedelta(days=30)


def test_the_list_names_each_jar_once():
    listed = jars.listed()
    assert len({jar.file for jar in listed}) == len(listed) > 40
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in listed)
    assert any(jar.file == "kafka_2.13-4.3.1.jar" for jar in listed)


def test_jars_that_are_what_they_were_are_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    jar = Jar("g", "a", "1", hashlib.sha256(b"jar").hexdigest())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(jars, "listed", lambda: [jar])
    home = tmp_path / "quire" / jars.KAFKA.replace(":", "-")
    home.mkdir(parents=True)
    (home / "a-1.jar").write_bytes(b"jar")
    assert jars.fetch(pytest.fail) == [home / "a-1.jar"]


def test_several_that_start_at_once_copy_one_postgres(tmp_path: Path):
    package = tmp_path / "postgres_wheel"
    binaries = package / "pginstall" / "bin"
    binaries.mkdir(parents=True)
    for n in range(50):
        (binaries / f"tool-{n}").write_bytes(b"#!")
    begin = Barrier(8)

    def start(_: int) -> Path:
        begin.wait()
        return postgres.copied(package, tmp_path / "for-all")

    with ThreadPoolExecutor(8) as pool:
        [place] = set(pool.map(start, range(8)))
    assert len(list((place / package.name / "pginstall" / "bin").iterdir())) == 50
    assert list(place.parent.iterdir()) == [place]


def test_a_state_directory_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StackFault) as fault:
        Layout.at(tmp_path / "file" / "state")
    assert fault.value.code == "state_dir_not_usable"


def hand_out(file: Path) -> Callable[[Path], Callable[[Jar], Path]]:
    def locator(_: Path) -> Callable[[Jar], Path]:
        return lambda _: file

    return locator


def test_a_jar_that_changed_on_the_way_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    jar = Jar("g", "a", "1", hashlib.sha256(b"jar").hexdigest())
    other = tmp_path / "other.jar"
    other.write_bytes(b"something else")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(jars, "listed", lambda: [jar])
    monkeypatch.setattr(jars, "_locator", hand_out(other))
    with pytest.raises(StackFault) as fault:
        jars.fetch(pytest.fail)
    assert fault.value.code == "jar_changed"
    assert list((tmp_path / "quire").rglob("*.jar")) == []


def test_every_command_topic_of_the_domain_is_made():
    assert set(COMMAND_TOPICS.values()) <= {topic.name for topic in TOPICS}


def test_no_topic_outlives_the_memory_of_its_commands():
    assert all(topic.keep < OUTCOMES_ARE_KEPT for topic in TOPICS)


def test_what_a_partner_wrote_is_gone_after_three_days():
    short = {topic.name for topic in TOPICS if topic.keep == timedelta(days=3)}
    assert short == {
        "partner.goods-receipts",
        "partner.orders",
        "partner.scans",
        "quire.dead-letters",
    }


def test_kafka_listens_on_loopback_alone(tmp_path: Path):
    settings = kafka.settings(tmp_path, 9092, 9093)
    assert settings["listeners"] == "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"
    assert settings["auto.create.topics.enable"] == "false"


OTHERS = ("api", "intake", "relay", "projector", "timers", "sealer", "provider", "mail")


def test_every_context_has_a_worker(tmp_path: Path):
    specs = processes.specs(Layout.at(tmp_path), {"QUIRE_API_PORT": "8080"})
    assert {spec.argv[3:] for spec in specs} == {
        *(("run", "worker", context) for context in COMMAND_TOPICS),
        *(("run", name) for name in OTHERS),
        ("run", "source", "--all"),
        ("run", "worker", "dead-letters"),
    }


def test_the_wall_is_told_by_two_sources_with_groups_of_their_own(tmp_path: Path):
    env = {"QUIRE_API_PORT": "8080"}
    more = processes.wall(8088)
    specs = processes.specs(Layout.at(tmp_path), env, more=more)
    assert {spec.name for spec in specs} == {*processes.WORDS, *more}
    groups = {words[-1] for words in more.values() if words[0] == "source"}
    assert groups == {"wall-orders", "wall-minutes"}
    told = processes.wall_env(8088, "http://127.0.0.1:8080", "http://127.0.0.1:8086/events")
    assert told["QUIRE_REDRIVE_TARGETS"].split(",") == [
        "http://127.0.0.1:8086/events",
        *(words[words.index("--sink") + 1] for words in more.values() if words[0] == "source"),
    ]


def test_a_provider_of_ones_own_is_not_started(tmp_path: Path):
    env = {"QUIRE_API_PORT": "8080"}
    specs = processes.specs(Layout.at(tmp_path), env, own_provider=False)
    assert "provider" not in {spec.name for spec in specs}


def test_without_a_sink_of_its_own_the_stack_runs_all_else(tmp_path: Path):
    env = {"QUIRE_API_PORT": "8080"}
    names = {spec.name for spec in processes.specs(Layout.at(tmp_path), env, own_mail=False)}
    assert names == {*processes.WORDS} - {"mail"}
