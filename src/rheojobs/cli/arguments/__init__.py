"""The arguments and options of commands: declared, read and completed."""
