"""The order: what a customer wants, and the memory of the whole process."""
