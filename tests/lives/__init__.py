"""Ten thousand random lives of orders, in memory, and what must hold in each."""
