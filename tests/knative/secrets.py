"""The secrets that a person makes, by the very commands of deploy/README.md."""

import base64
import os
import re
from secrets import token_hex

from tests.unit.deploy.build import DEPLOY

MAKES = re.compile(r"create secret generic (\S+)((?:.|\n(?!\n))*)")
LITERAL = re.compile(r"--from-literal=([\w.-]+)=(\"[^\"]*\"|\S*)")
ONLY_PROD = {"knative-kafka", "smtp"}

Secrets = dict[tuple[str, str], str]


def made(build: str) -> Secrets:
    """Each value by the secret's name and its key."""
    found: Secrets = {}
    for name, rest in MAKES.findall((DEPLOY / "README.md").read_text()):
        if name in ONLY_PROD and build != "prod":
            continue
        password = token_hex(24)
        for key, text in LITERAL.findall(rest):
            found[name, key] = _expanded(text.strip('"'), password)
    return found


def _expanded(text: str, password: str) -> str:
    """As the shell would."""
    if text == "$(key)":
        return base64.b64encode(os.urandom(32)).decode()
    return re.sub(r"\$\(secret\)|\$password|^\.\.\.$", password, text)
