"""What a customer hears of a refund, by mail and by webhook: from the fact to the message."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from domain.fulfilment import react
from domain.message import Event, Money
from domain.notification.messages import Notify, SetPreferences
from domain.order.messages import OrderRefunded
from gateways.mailbox import text_of
from tests.integration.post import ADA, Post, posting
from tests.unit.gateways.test_webhook import SECRET, shop


@pytest.fixture
async def post(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Post]:
    async with posting(postgres_dsn, tmp_path) as made:
        yield made


def told(event: Event) -> Notify:
    [reaction] = react(event)
    assert isinstance(reaction.command, Notify)
    return reaction.command


async def refunded(post: Post, refund_id: str, language: str = "en") -> OrderRefunded:
    contact = await post.seal(ADA)
    amount, order_id = Money(123_499, "GBP"), f"o-{uuid4().hex[:8]}"
    return OrderRefunded(order_id, refund_id, amount, post.person, contact, language)


@pytest.mark.parametrize(
    ("refund_id", "language", "subject", "why"),
    [
        ("cancellation-1-o-1.2", "en", "A refund for your order", "no longer get"),
        ("lost-o-1.1", "en", "A refund for your order", "did not reach you"),
        ("return-1", "zh-CN", "有一笔退款", "退回商品"),
    ],
)
async def test_one_mail_a_refund_however_often_it_is_told(
    post: Post, refund_id: str, language: str, subject: str, why: str
):
    fact = await refunded(post, refund_id, language)
    for _ in range(3):
        await post.handle(told(fact))
    assert await post.ends(told(fact)) == ("sent", "")
    [mail] = post.sink.box.mails()
    assert mail.times == 1
    assert subject in mail.subject
    assert fact.order_id in mail.subject
    found = post.sink.box.find(mail.id)
    assert found is not None
    for kind in ("plain", "html"):
        text = text_of(found[1], kind)
        assert "1,234.99 GBP" in text
        assert why in text
        assert "Ada Plumtree" in text


async def test_two_refunds_of_an_order_are_two_mails(post: Post):
    fact = await refunded(post, "return-1")
    await post.handle(told(fact))
    other = OrderRefunded(fact.order_id, "return-2", fact.amount, post.person, fact.contact)
    await post.handle(told(other))
    assert [mail.times for mail in post.sink.box.mails()] == [1, 1]


async def test_a_webhook_tells_amount_and_reason_and_no_person(postgres_dsn: str, tmp_path: Path):
    async with (
        shop(204) as hook,
        posting(
            postgres_dsn, tmp_path, notify_webhook_url=hook.url, notify_webhook_secret=SECRET
        ) as post,
    ):
        await post.handle(SetPreferences(post.person, ("webhook",)))
        fact = await refunded(post, "return-1")
        wish = told(fact)
        for _ in range(2):
            await post.handle(wish)
        suppressed, also = [one.event for one in await post.facts(wish)]
        assert suppressed.type == "quire.notification.suppressed.v1"
        for _ in range(2):
            await post.handle(told(also))
        assert await post.ends(told(also)) == ("sent", "")
    [(_, body)] = hook.seen
    assert json.loads(body) == {
        "type": "quire.order_refunded",
        "data": {
            "notification_id": f"{fact.order_id}.order_refunded.webhook.return-1",
            "order_id": fact.order_id,
            "customer_id": post.person,
            "language": "en",
            "amount": "123499 GBP",
            "reason": "return",
        },
    }
