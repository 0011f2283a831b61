"""Makes the text of a message from the files in templates/<language>/."""

from functools import cache
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, TemplateNotFound, select_autoescape

from domain.notification.messages import DeliveryRequest

FALLBACK = "en"
# ISO 4217: how many digits of the minor unit stand after the point, where it is not two.
_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "BHD": 3, "KWD": 3, "TND": 3}


class Text(NamedTuple):
    """What a person reads."""

    language: str
    subject: str
    text: str
    html: str


def render(request: DeliveryRequest, name: str) -> Text:
    """In the language asked for (`zh` for `zh-CN`), else in English."""
    language = _language(request.language, request.template)
    values = {
        "order_id": request.order_id,
        "name": name,
        "facts": request.facts,
        "language": language,
    }
    place = f"{language}/{request.template}"
    subject, _, text = _environment().get_template(f"{place}.txt").render(values).partition("\n\n")
    values["subject"] = " ".join(subject.split())  # a header is one line
    html = _environment().get_template(f"{place}.html").render(values)
    return Text(language, values["subject"], text.strip() + "\n", html)


def money(amount: str) -> str:
    """`1299 GBP` as `12.99 GBP`."""
    minor, _, currency = amount.partition(" ")
    digits = _DIGITS.get(currency, 2)
    value = int(minor)
    whole, rest = divmod(abs(value), 10**digits)
    told = f"{'-' if value < 0 else ''}{whole:,}"
    return f"{told}.{rest:0{digits}d} {currency}" if digits else f"{told} {currency}"


def _language(wanted: str, template: str) -> str:
    language = wanted.lower().partition("-")[0]
    try:
        _environment().get_template(f"{language}/{template}.txt")
    except TemplateNotFound:
        return FALLBACK
    return language


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("gateways"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = made.filters
    filters["money"] = money
    return made
