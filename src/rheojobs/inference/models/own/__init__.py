"""Models of the user's that are given by a text: a formula, or a function in a file."""
