"""The Qt face of the engine: a pool with signals, and workers that existing applications know."""
