"""Measures Quire from outside, as its users would."""
