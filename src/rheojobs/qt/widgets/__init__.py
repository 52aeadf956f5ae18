"""Widgets that can be used one by one in other applications' windows."""
