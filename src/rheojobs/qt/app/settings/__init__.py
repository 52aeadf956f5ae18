"""The settings of the chosen model: a worker describes the model that has them."""
