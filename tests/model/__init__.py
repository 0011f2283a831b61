"""The explicit-state model of the protocol: every interleaving of small scenarios, searched."""
