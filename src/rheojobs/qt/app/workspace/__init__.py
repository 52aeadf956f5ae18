"""Workspaces in the window: saved, opened, restored after a crash, with notes and undo."""
