"""HTTP in, HTTP out: commands, queries, live updates. Decides nothing."""
