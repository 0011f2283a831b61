"""Inventory: what lies on the shelf, what of it is promised, and who waits for more."""
