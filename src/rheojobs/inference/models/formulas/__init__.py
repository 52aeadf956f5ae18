"""Predictions of our own in place of RheoJAX's: equations from the literature, solved exactly.

`Inner` functions take ``(instance, x, params, constants)``; the adapter's table says which serves
which class and test mode.
"""
