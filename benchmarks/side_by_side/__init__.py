"""Comparisons of two job systems in one run, taking turns."""
