"""Exploring a model by sliders: the curve follows, computed by a worker of its own."""
