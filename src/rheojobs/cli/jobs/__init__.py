"""The commands `rheojobs jobs …`."""
