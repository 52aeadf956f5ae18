"""The choice of a model, the table of its parameters, and the editor of their priors.

They show `ModelInfo` and `Parameter` as data; they build and call no model.
"""
