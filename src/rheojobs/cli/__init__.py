"""The `rheojobs` command."""
