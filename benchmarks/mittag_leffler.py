"""Time the Mittag-Leffler function beside RheoJAX's, compiled, on this machine.

``python -m benchmarks.mittag_leffler`` prints the median of many calls in microseconds: the values
at 1,000 points, the slopes in a scale, an order and a time, and the reverse gradient.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

CALLS = 200
POINTS = 1000


def median(function: Callable[..., Any], *args: Any) -> float:
    """Return the median time / µs of a call."""
    import jax

    jax.block_until_ready(function(*args))
    seconds = []
    for _ in range(CALLS):
        started = time.perf_counter()
        jax.block_until_ready(function(*args))
        seconds.append(time.perf_counter() - started)
    return 1e6 * statistics.median(seconds)


def main() -> None:
    """Print the table."""
    from rheojobs.inference.programs.jax_setup import configure_jax

    configure_jax()
    import jax
    import jax.numpy as jnp
    from rheojax.utils.mittag_leffler import mittag_leffler_e2

    from rheojobs.inference.models.rheojax.mittag_leffler import mittag_leffler

    t = jnp.asarray(np.geomspace(1e-3, 1e3, POINTS))
    params = jnp.array([2.0, 0.6, 1.5])

    def modulus(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda p: p[0] * function((t / p[2]) ** p[1], p[1])

    both = {
        "rheojobs": modulus(mittag_leffler),
        "RheoJAX": modulus(lambda x, a: mittag_leffler_e2(-x, a, 1.0)),
    }
    print(f"{'µs at ' + str(POINTS) + ' points':24}{'values':>10}{'Jacobian':>10}{'gradient':>10}")
    for name, curve in both.items():
        times = [
            median(jax.jit(made), params)
            for made in (curve, jax.jacfwd(curve), jax.grad(lambda p, c=curve: jnp.sum(c(p))))
        ]
        print(f"{name:24}" + "".join(f"{value:10.0f}" for value in times))


if __name__ == "__main__":
    main()
