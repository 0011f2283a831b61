"""Each protection with the test that must fail without it; the patches take it out."""

from tests.mutants.table import doors, outside, owner, relay
from tests.mutants.table.mutant import Mutant

__all__ = ["MUTANTS", "Mutant"]

MUTANTS = (*owner.MUTANTS, *relay.MUTANTS, *doors.MUTANTS, *outside.MUTANTS)
