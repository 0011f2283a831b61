"""Long-running processes between the topics and the log."""
