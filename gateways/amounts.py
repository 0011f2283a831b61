"""What a setting that is a number, or an address, may be: what is none is refused at the start."""

from base64 import b64decode
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

KEY_BYTES = 32


def _key(secret: SecretStr) -> SecretStr:
    """Raises ValueError for what is neither empty nor base64 of so many bytes."""
    text = secret.get_secret_value().strip()
    if text and len(b64decode(text, validate=True)) != KEY_BYTES:
        raise ValueError(f"not base64 of {KEY_BYTES} bytes")
    return secret


CENTURY_SECONDS = 100 * 365 * 86_400

Seconds = Annotated[float, Field(ge=0, le=CENTURY_SECONDS, allow_inf_nan=False)]
SomeSeconds = Annotated[float, Field(gt=0, le=CENTURY_SECONDS, allow_inf_nan=False)]
"""More than none: a time that something may take, or the pause of a loop."""
Minutes = Annotated[float, Field(ge=0, le=CENTURY_SECONDS / 60, allow_inf_nan=False)]
Hours = Annotated[float, Field(ge=0, le=CENTURY_SECONDS / 3600, allow_inf_nan=False)]
Days = Annotated[float, Field(ge=0, le=CENTURY_SECONDS / 86_400, allow_inf_nan=False)]
SomeDays = Annotated[float, Field(gt=0, le=CENTURY_SECONDS / 86_400, allow_inf_nan=False)]
Factor = Annotated[float, Field(ge=1, le=1_000, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]

Count = Annotated[int, Field(ge=1, le=100_000_000)]
CountOrNone = Annotated[int, Field(ge=0, le=2**53)]
Port = Annotated[int, Field(ge=1, le=65_535)]
AnyPort = Annotated[int, Field(ge=0, le=65_535)]
"""0 is one that is free."""

Dsn = Annotated[SecretStr, Field(min_length=1)]
Key = Annotated[SecretStr, AfterValidator(_key)]
Bootstrap = Annotated[str, StringConstraints(min_length=1)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#]+[^\s]*$")]
UrlOrNone = Annotated[str, StringConstraints(pattern=r"^(https?://[^\s/?#]+[^\s]*)?$")]
"""Empty: there is none."""
