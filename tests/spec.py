"""Given-when-then: history is events, a wish is a command, the outcome is events or a refusal."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.decider import Decider
from domain.errors import Refused

NOON = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Spec:
    """`ask` and `answered` are those of a context that asks the outside before it decides."""

    decider: Decider[Any, Any, Any]
    ask: Callable[[Any, Any, str], Any] | None = None
    answered: Callable[[Any, Any, Any, datetime], Any] | None = None

    def given(self, *events: Any, state: Any = None) -> "Given":
        return Given(self, self.decider.fold(events, state))


@dataclass(frozen=True)
class Given:
    spec: Spec
    state: Any

    def when(
        self, command: Any, answer: Any = None, *, at: datetime = NOON, command_id: str = "c-1"
    ) -> "When":
        """`answer` is what the outside says, if it is asked."""
        return When(self.spec, self.state, command, answer, at, command_id)


@dataclass(frozen=True)
class When:
    spec: Spec
    state: Any
    command: Any
    answer: Any
    at: datetime
    command_id: str

    @property
    def request(self) -> Any:
        return self.spec.ask(self.command, self.state, self.command_id) if self.spec.ask else None

    @property
    def facts(self) -> list[Any]:
        request = self.request
        if request is None:
            return self.spec.decider.decide(self.command, self.state)
        assert self.answer is not None, f"asks the outside: {request}"
        assert self.spec.answered is not None
        whole = self.spec.answered(self.command, request, self.answer, self.at)
        return self.spec.decider.decide(whole, self.state)

    def then(self, *events: Any) -> Given:
        facts = self.facts
        assert facts == list(events)
        return Given(self.spec, self.spec.decider.fold(facts, self.state))

    def then_nothing(self) -> Given:
        return self.then()

    def then_types(self, *types: type) -> Given:
        """Where the kind of fact says it all."""
        facts = self.facts
        assert [type(fact) for fact in facts] == list(types)
        return Given(self.spec, self.spec.decider.fold(facts, self.state))

    def then_refused(self, code: str) -> Given:
        with pytest.raises(Refused) as refusal:
            _ = self.facts
        assert refusal.value.code == code
        return Given(self.spec, self.state)

    def twice_writes_nothing(self) -> Given:
        """Heard again, the same wish leaves no second fact: nothing, or a refusal."""
        first = self.facts
        assert first, "the first time something happens"
        after = Given(self.spec, self.spec.decider.fold(first, self.state))
        again = after.when(self.command, self.answer, at=self.at, command_id="c-2")
        with suppress(Refused):
            assert again.facts == []
        return after
