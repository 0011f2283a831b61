"""A card's number goes no further than the door: what is taken in stands in the log for good."""

import re

from api.problems import Problem

_NUMBER = re.compile(r"[0-9](?:[ -]?[0-9]){11,18}")


def token(method: str) -> str:
    """The same text; a problem when it is a card's number and no token for one."""
    if _NUMBER.fullmatch(method) and _adds_up(method):
        raise Problem(
            422,
            "card_number_refused",
            "payment_method is a card's number",
            hint="Send the token that the payment provider gave for the card.",
        )
    return method


def _adds_up(number: str) -> bool:
    """Luhn's sum, by which a card's number differs from most others."""
    digits = [int(each) for each in reversed(number) if each.isdigit()]
    twice = (2 * each for each in digits[1::2])
    return (sum(digits[::2]) + sum(each // 10 + each % 10 for each in twice)) % 10 == 0
