"""Decisions of the engine. Pure: no threads, no clock, no I/O."""
