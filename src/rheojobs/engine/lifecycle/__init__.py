"""How an engine admits jobs, changes its executor, and shuts down."""
