"""Which curves a file holds: segments, sweeps and pairs, and what is no curve of a test.

The other rooms use `curves_in` and `first_curve`, and the checks of `one_frequency` and `start_up`.
"""
