"""The agents: five declarations, one file each."""

from importlib import import_module

from streams.context import Context
from streams.settings import Settings


def declare(name: str, settings: Settings) -> Context:
    """The declaration of the agent `name`: order, inventory, payment, shipping, notification."""
    context: Context = import_module(f"streams.agents.{name}").declare(settings)
    return context
