"""How jobs come into an engine, and how the engine moves and ends."""
