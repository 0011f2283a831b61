"""The agents: five declarations, one file each."""

from dataclasses import replace
from importlib import import_module

from streams.context import Context
from streams.counting import counted
from streams.settings import Settings


def declare(name: str, settings: Settings) -> Context:
    """The declaration of the agent `name`: order, inventory, payment, shipping, notification."""
    context: Context = import_module(f"streams.agents.{name}").declare(settings)
    if context.outside is None:
        return context
    return replace(context, outside=counted(name, context.outside))
