"""Fits of one model to many datasets, in groups that share the calls of a program."""
