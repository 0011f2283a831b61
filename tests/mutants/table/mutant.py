"""A protection, and the test that must fail without it."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """`patch` is a file under patches/; `test` a pytest node; `protection` what is taken away."""

    patch: str
    test: str
    protection: str
