"""Payment: one payment an order, many attempts; what the provider said is always a fact."""
