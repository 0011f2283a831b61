"""The notification agent: hands messages to the channels that the customer chose."""

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from domain.message import Command
from domain.notification.decider import ask, decider
from domain.notification.messages import Answered
from domain.notification.state import State, preferences_of
from gateways.mailer import Channels, Sender, SimulatedSender
from streams.contacts import SealedContacts
from streams.context import NO_BOUND, Context, Outside
from streams.lifecycle import CannotGoOn
from streams.settings import Settings

MOST_THAT_LEAVE = 64
"""Messages in a batch. All that left before a kill -9 leaves again, so a batch is a short time."""


def _reads(command: Command) -> tuple[str, ...]:
    preferences = preferences_of(command)
    return (command.stream, preferences) if preferences else (command.stream,)


def _seen(command: Command, state: State, state_of: Callable[[str], State]) -> State:
    """The message's own past, with what the recipient wants to hear by now."""
    preferences = preferences_of(command)
    return replace(state, channels=state_of(preferences).channels) if preferences else state


def declare(settings: Settings) -> Context:
    sender = channels(settings)
    leaves = bool(settings.smtp_host or settings.notify_webhook_url)
    answered = partial(Answered, backoff=settings.notification_backoff())
    outside = Outside(ask, sender.perform, answered, sender.close)
    return Context(
        "notification",
        decider,
        decider.initial,
        decider.evolve,
        outside,
        reads=_reads,
        seen=_seen,
        most=MOST_THAT_LEAVE if leaves else NO_BOUND,
    )


def channels(settings: Settings) -> Sender:
    """Whom the settings name; without a mail server mail is simulated."""
    senders: dict[str, Sender] = {"email": SimulatedSender()}
    if settings.smtp_host:
        senders["email"] = _smtp(settings, settings.smtp_host)
    if settings.notify_webhook_url:
        senders["webhook"] = _webhook(settings)
    return Channels(senders)


# What a channel stands on is imported only where the channel is used.


def _smtp(settings: Settings, host: str) -> Sender:
    from gateways.smtp import SmtpSender  # noqa: PLC0415 slow, and wanted by this agent alone
    from gateways.smtp_server import CaFileNotUsable, Server  # noqa: PLC0415 the same

    password = settings.smtp_password.get_secret_value()
    server = Server(
        host,
        settings.smtp_port,
        settings.smtp_sender,
        settings.smtp_user,
        password,
        settings.smtp_tls,
        settings.notify_timeout_seconds,
        ca_file=settings.smtp_ca_file,
    )
    if password and server.tls == "none":
        raise CannotGoOn("QUIRE_SMTP_PASSWORD would travel in the clear: set QUIRE_SMTP_TLS")
    try:
        return SmtpSender(server, SealedContacts(settings))
    except CaFileNotUsable as why:
        raise CannotGoOn(f"QUIRE_SMTP_CA_FILE: {why}") from why


def _webhook(settings: Settings) -> Sender:
    from gateways.webhook import WebhookNotUsable, WebhookSender  # noqa: PLC0415 the same

    secret = settings.notify_webhook_secret.get_secret_value()
    try:
        return WebhookSender(
            settings.notify_webhook_url, secret, seconds=settings.notify_timeout_seconds
        )
    except WebhookNotUsable as why:
        raise CannotGoOn(str(why)) from why
