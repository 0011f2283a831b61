"""What processes count of themselves: one table of figures, and all that is made of it."""
