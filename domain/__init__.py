"""What may happen: pure functions over frozen structs; no clock, no ids of its own, no I/O."""
