"""The application: a window that wires the widgets to the pool; all work is done elsewhere."""
