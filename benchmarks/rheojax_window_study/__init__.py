"""RheoJAX's window, alone and on our engine."""
