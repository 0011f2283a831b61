"""Notification: one message per order, template, channel and cause, however often it is asked."""
