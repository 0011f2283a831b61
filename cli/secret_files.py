"""Secrets that come as files: QUIRE_X_FILE names the file that holds QUIRE_X."""

import os
from pathlib import Path

from cli.output import Exit, Failure

NOT_A_SECRET = {
    "QUIRE_READY_FILE",
    "QUIRE_SMTP_CA_FILE",
    "QUIRE_KAFKA_CA_FILE",
}  # settings that are paths themselves


def read_secret_files() -> None:
    """Set QUIRE_X from the file that QUIRE_X_FILE names, as Docker and Kubernetes hand secrets out.

    White space around it is left out. Raises `Failure` (`secret_file_unreadable`,
    `secret_given_twice`); the contents are never shown.
    """
    for name, file in dict(os.environ).items():
        if not (name.startswith("QUIRE_") and name.endswith("_FILE")) or name in NOT_A_SECRET:
            continue
        secret = name.removesuffix("_FILE")
        if not file:
            continue
        if os.environ.get(secret):
            raise Failure(
                "secret_given_twice",
                f"{secret} and {name} are both set",
                hint="Leave one of them out.",
                exit_code=Exit.USAGE,
            )
        try:
            os.environ[secret] = Path(file).read_text().strip()
            del os.environ[name]  # our children are told the secret itself
        except (OSError, UnicodeDecodeError) as error:
            raise Failure(
                "secret_file_unreadable",
                f"the file that {name} names cannot be read: {error}",
                hint="Is it mounted, and may this user read it?",
                exit_code=Exit.USAGE,
            ) from error
