"""The order wall: what happens, as it happens, told by Knative and kept in memory alone."""
