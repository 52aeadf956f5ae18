"""The window that `rheojobs gui` opens."""
