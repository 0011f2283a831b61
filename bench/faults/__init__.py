"""Hurts a running Quire in every way it knows, and then holds all that it did to account."""
