"""Importance sampling: the preview of a posterior from its maximum, and its evidence."""
