"""Nonlinear least squares, of residuals that are compiled programs."""
