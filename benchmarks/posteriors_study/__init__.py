"""Samplers judged by many posteriors and many seeds."""
