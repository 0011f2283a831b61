"""Each message that the fulfilment causes can be written in every language."""

import pytest

from domain.fulfilment import react
from domain.notification.messages import DeliveryRequest, NotificationEvent, Notify
from gateways.rendering import FALLBACK, money, render
from tests.unit.domain.test_golden import corpus

LANGUAGES = ("en", "zh")


def caused() -> dict[str, Notify]:
    """A message for each template that some fact causes; a notification repeats only its own."""
    events = [event for event in corpus() if not isinstance(event, NotificationEvent)]
    commands = [one.command for event in events for one in react(event)]
    return {one.template: one for one in commands if isinstance(one, Notify)}


def asked(template: str, language: str, **facts: str) -> DeliveryRequest:
    return DeliveryRequest("k", "k", "o-77", template, "email", "c-1", "sealed", language, facts)


def test_there_are_messages():
    assert {"order_confirmed", "order_shipped", "order_delivered"} <= set(caused())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", sorted(caused()))
def test_each_template_is_there_in_each_language(template: str, language: str):
    facts = {**caused()[template].facts}
    facts |= {"amount": "123499 GBP"} if "amount" in facts else {}
    told = render(asked(template, language, **facts), "Ada <Lovelace>")
    assert told.language == language
    assert "o-77" in told.subject
    assert "\n" not in told.subject
    assert "Ada <Lovelace>" in told.text
    assert "Ada &lt;Lovelace&gt;" in told.html
    assert f'lang="{language}"' in told.html
    for part in (told.text, told.html):
        assert ("1,234.99 GBP" in part) == ("amount" in facts)
        assert facts.get("parcel", "") in part
        assert "{" not in part.partition("<body")[2]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", sorted(caused()))
def test_a_message_that_was_caused_before_there_were_facts_can_be_written(
    template: str, language: str
):
    told = render(asked(template, language), "")
    assert "o-77" in told.subject
    assert "None" not in told.text


def test_a_language_that_is_not_there_is_english():
    assert render(asked("order_confirmed", "fr"), "").language == FALLBACK
    assert render(asked("order_confirmed", "zh-Hant"), "").language == "zh"
    assert render(asked("order_confirmed", ".."), "").language == FALLBACK


def test_a_template_that_is_not_there_is_an_error():
    with pytest.raises(Exception, match="order_eaten"):
        render(asked("order_eaten", "en"), "")


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        ("1299 GBP", "12.99 GBP"),
        ("5 EUR", "0.05 EUR"),
        ("-250 USD", "-2.50 USD"),
        ("123456789 CNY", "1,234,567.89 CNY"),
        ("1500 JPY", "1,500 JPY"),
        ("1500 KWD", "1.500 KWD"),
    ],
)
def test_money_is_plain(amount: str, told: str):
    assert money(amount) == told
