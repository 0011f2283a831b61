"""Notifications that leave: a real SMTP server in a process of its own, a real Postgres."""

import json
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from domain.fulfilment import react
from domain.message import Money
from domain.notification.messages import Notify, SetPreferences
from domain.order.messages import PaymentActionRequired
from gateways.letter import message_id
from gateways.mailbox import text_of
from store.vault import read_master_key
from tests.integration.hand import Topic
from tests.integration.post import ADA, Post, posting


@pytest.fixture
async def post(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Post]:
    async with posting(postgres_dsn, tmp_path) as made:
        yield made


async def test_a_mail_leaves_with_text_and_html(post: Post):
    wish = await post.notify()
    assert await post.ends(wish) == ("sent", "")
    [mail] = post.sink.box.mails()
    assert mail.to == "Ada Plumtree <ada@orchard.example>"
    assert mail.subject == f"Your order {wish.order_id} is confirmed"
    found = post.sink.box.find(mail.message_id)
    assert found is not None
    assert "Hello Ada Plumtree," in text_of(found[1])
    assert "1,234.99 GBP" in text_of(found[1])
    assert "<p>Hello Ada Plumtree,</p>" in text_of(found[1], "html")
    sender = str(found[1]["From"])
    assert mail.message_id == message_id(wish.notification_id, sender)


async def test_a_mail_in_chinese_to_a_guest(post: Post):
    order = f"o-{uuid4().hex[:8]}"
    contact = await post.seal({**ADA, "name": "李明"}, f"order:{order}")
    wish = await post.notify(
        notification_id=f"{order}.order_confirmed.email.1", order_id=order, customer_id="",
        contact=contact, language="zh-CN",
    )  # fmt: skip
    assert await post.ends(wish) == ("sent", "")
    [mail] = post.sink.box.mails()
    assert mail.subject == f"您的订单 {order} 已确认"
    assert mail.to == "李明 <ada@orchard.example>"


@pytest.mark.parametrize(
    ("language", "owed", "subject", "why"),
    [
        ("en", False, "Please confirm the payment", "will be cancelled"),
        ("en", True, "Please confirm the payment", "for what we sent you"),
        ("zh-CN", False, "请确认您的订单", "将被取消"),
    ],
)
async def test_who_has_to_confirm_a_payment_later_gets_the_page_for_it(
    post: Post, language: str, owed: bool, subject: str, why: str
):
    page = "https://bank.example/3ds/auth-1"
    asked = PaymentActionRequired(
        f"o-{uuid4().hex[:8]}", 2, page, Money(123_499, "GBP"), True, owed,
        post.person, await post.seal(ADA), language,
    )  # fmt: skip
    [(wish, _)] = react(asked)
    assert isinstance(wish, Notify)
    for _ in range(2):
        await post.handle(wish)
    assert await post.ends(wish) == ("sent", "")
    [mail] = post.sink.box.mails()
    assert (mail.times, subject in mail.subject) == (1, True)
    found = post.sink.box.find(mail.id)
    assert found is not None
    for kind in ("plain", "html"):
        text = text_of(found[1], kind)
        assert page in text
        assert "1,234.99 GBP" in text
        assert why in text


async def test_however_often_it_is_asked_one_mail_leaves(post: Post):
    wish = await post.notify()
    await post.handle(wish)
    await post.handle(wish)
    assert [mail.times for mail in post.sink.box.mails()] == [1]


async def test_nothing_personal_is_in_the_facts_the_timers_or_the_logs(
    post: Post, caplog: pytest.LogCaptureFixture
):
    wish = await post.notify()
    await post.sink.kill()
    waiting = await post.notify()
    timer = await post.armed(waiting)
    assert timer is not None
    stored = [*await post.facts(wish), *await post.facts(waiting)]
    for text in (
        str([fact.data for fact in stored]),
        timer.command,
        caplog.text,
        post.sink.log.read_text(),
    ):
        assert "orchard" not in text
        assert "Plumtree" not in text


async def test_a_sink_that_is_down_and_comes_back_gets_it_later(post: Post):
    await post.sink.kill()
    wish = await post.notify()
    assert await post.ends(wish) == ("deferred", "smtp_away")
    await post.turn_to_retry(wish)
    assert await post.ends(wish) == ("deferred", "smtp_away")
    await post.sink.start()
    await post.turn_to_retry(wish)
    assert await post.ends(wish) == ("sent", "")
    assert await post.armed(wish) is None
    assert [mail.times for mail in post.sink.box.mails()] == [1]


async def test_after_24_hours_it_has_failed_and_that_is_visible(post: Post):
    await post.sink.kill()
    began = post.now
    wish = await post.notify()
    while await post.armed(wish):
        await post.turn_to_retry(wish)
    assert await post.ends(wish) == ("failed", "smtp_away")
    assert timedelta(hours=22) < post.now - began <= timedelta(hours=24)
    assert len(await post.facts(wish)) > 20


async def test_many_go_out_over_few_connections(post: Post):
    engine = await post.begin()
    contact = await post.seal(ADA)
    topic = Topic()
    wishes = [
        Notify(f"m-{uuid4()}", f"o-{n}", "order_shipped", "email", post.person, contact)
        for n in range(60)
    ]
    batch = [topic.command(wish, f"{wish.notification_id}") for wish in wishes]
    await engine.handle(batch)
    assert {await post.ends(wish) for wish in wishes} == {("sent", "")}
    assert len(post.sink.box.mails()) == 60


async def test_an_erased_contact_is_a_failure_with_its_code(post: Post):
    sealed = await post.seal(ADA)
    await post.notify(contact=sealed)
    await post.erase(f"customer:{post.person}")  # while the worker runs, which knew the key
    wish = await post.notify(contact=sealed)
    assert await post.ends(wish) == ("failed", "contact_erased")
    assert len(post.sink.box.mails()) == 1


async def test_another_master_key_is_a_reason_to_try_again_later(
    post: Post, caplog: pytest.LogCaptureFixture
):
    sealed = await post.seal(ADA)
    key = (post.path / "master.key").read_text()
    (post.path / "master.key").unlink()
    read_master_key(post.path / "master.key")
    wish = Notify(f"m-{uuid4()}", "o-1", "order_shipped", "email", post.person, sealed)
    await post.handle(wish)
    assert await post.ends(wish) == ("deferred", "master_key_wrong")
    assert "QUIRE_MASTER_KEY" in caplog.text
    (post.path / "master.key").write_text(key)
    await post.turn_to_retry(wish)
    assert await post.ends(wish) == ("sent", "")


@pytest.mark.parametrize("email", ["", None])
async def test_without_an_address_it_is_suppressed(post: Post, email: str | None):
    contact = {"name": "Ada"} if email is None else {**ADA, "email": email}
    wish = await post.notify(contact=await post.seal(contact))
    assert await post.ends(wish) == ("suppressed", "no_address")


@pytest.mark.parametrize(
    "email", ["nobody", "a@b@c", "a b@c.example", "x@y.example\r\nBcc: all@z.example", "@", "<>"]
)
async def test_an_address_that_is_none_fails_and_nothing_leaves(post: Post, email: str):
    wish = await post.notify(contact=await post.seal({**ADA, "email": email}))
    outcome, code = await post.ends(wish)
    assert outcome == "failed"
    assert code in {"address_not_usable", "smtp_501", "smtp_553"}
    assert post.sink.box.mails() == []


@pytest.mark.parametrize("name", ["Ada\r\nBcc: all@z.example", '"; <x@y>', "A" * 900, "Ä 李 🦉"])
async def test_no_name_can_add_a_header_or_a_recipient(post: Post, name: str):
    wish = await post.notify(contact=await post.seal({**ADA, "name": name}))
    for mail in post.sink.box.mails():
        found = post.sink.box.find(mail.id)
        assert found is not None
        assert found[1]["Bcc"] is None
        assert [one.addr_spec for one in found[1]["To"].addresses] == ["ada@orchard.example"]
    assert (await post.ends(wish))[0] in {"sent", "failed"}


async def test_who_wants_no_mail_gets_none(post: Post):
    await post.handle(SetPreferences(post.person, ()))
    wish = await post.notify()
    assert await post.ends(wish) == ("suppressed", "not_wanted")
    await post.handle(SetPreferences(post.person, ("email",)))
    assert await post.ends(await post.notify()) == ("sent", "")


async def test_who_stops_it_while_it_waits_gets_none(post: Post):
    await post.sink.kill()
    wish = await post.notify()
    await post.handle(SetPreferences(post.person, ()))
    await post.sink.start()
    await post.turn_to_retry(wish)
    assert await post.ends(wish) == ("suppressed", "not_wanted")
    assert await post.armed(wish) is None
    assert post.sink.box.mails() == []


async def test_replays_and_rebuilds_send_nothing(
    post: Post, owner_dsn: str, quire: Callable[..., str], monkeypatch: pytest.MonkeyPatch
):
    wish = await post.notify()
    [mail] = post.sink.box.mails()
    (post.path / "mail" / f"{mail.id}.eml").unlink()
    for name, value in post.sink.settings.items():
        monkeypatch.setenv(f"QUIRE_{name}".upper(), str(value))
    monkeypatch.setenv("QUIRE_POSTGRES_DSN", post.dsn)
    monkeypatch.setenv("QUIRE_POSTGRES_OWNER_DSN", owner_dsn)
    monkeypatch.setenv("QUIRE_KAFKA", "127.0.0.1:1")
    assert wish.notification_id in quire("replay", "--all")
    quire("projections", "rebuild", "orders")
    assert list((post.path / "mail").iterdir()) == []


async def test_without_an_address_of_its_own_a_webhook_is_suppressed(post: Post):
    wish = await post.notify(channel="webhook")
    assert await post.ends(wish) == ("suppressed", "no_webhook")


async def test_the_mails_are_their_owners_alone(post: Post):
    await post.notify()
    directory = post.path / "mail"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    [file] = directory.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_the_command_line_shows_them(post: Post, quire: Callable[..., Any]):
    wish = await post.notify()
    [line] = quire("mail", "list", "--json").splitlines()
    listed = json.loads(line)
    assert listed["subject"] == f"Your order {wish.order_id} is confirmed"
    assert listed["to"] == "Ada Plumtree <ada@orchard.example>"
    assert listed["times"] == 1
    assert datetime.fromisoformat(listed["received_at"]).tzinfo is not None
    shown = json.loads(quire("mail", "show", listed["message_id"], "--json"))
    assert "Hello Ada Plumtree," in shown["text"]
    assert "Hello Ada Plumtree," in quire("mail", "show", listed["id"][:6])
    assert "<p>" in quire("mail", "show", listed["id"], "--html")
    assert listed["id"] in quire("mail", "list")
    assert "mail_not_found" in quire("mail", "show", "zzz", "--json", code=4)


async def test_sigterm_ends_the_sink(post: Post):
    assert await post.sink.end() == 0


@pytest.fixture
def quire(tmp_path: Path) -> Callable[..., str]:
    def run(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *words, "--state-dir", str(tmp_path)],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stdout

    return run
