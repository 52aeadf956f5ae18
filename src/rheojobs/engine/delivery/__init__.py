"""Delivery of events to subscribers, and calls of callbacks, on threads of their own."""
