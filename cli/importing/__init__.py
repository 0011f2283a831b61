"""Importing history: the file as it is, what each of its lines means, and the facts it becomes."""
