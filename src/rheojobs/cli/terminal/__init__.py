"""The terminal: what is drawn in it and asked at it, and the signals that come from it."""
