"""The `quire` command: one file per group of verbs."""
