"""Make RheoJAX's Mittag-Leffler function use its fast path.

This replaces `rheojax.utils.mittag_leffler._mittag_leffler_hybrid` for the whole process by a
function with the same values.
"""

from __future__ import annotations

import types
from typing import Any

__all__ = ["quicken_mittag_leffler"]


def quicken_mittag_leffler() -> None:
    """Let RheoJAX's Mittag-Leffler function use its fast path if the order is one number.

    The function first broadcasts the order to the shape of its argument, and so never detects
    a single order: every point computes the same 300 gamma functions. The values agree to 13
    digits either way (orders 0.05 to 0.98, arguments down to
    -10⁴); 128 orders at 64 points took 0.10 s instead of 0.61 s.
    """
    import jax.numpy as jnp
    from rheojax.utils import mittag_leffler

    general: Any = mittag_leffler._mittag_leffler_hybrid
    if hasattr(general, "quickened"):
        return
    as_given = types.SimpleNamespace(**vars(jnp))
    as_given.broadcast_arrays = lambda *arrays: arrays
    names = {**general.__globals__, "jnp": as_given}
    quick: Any = types.FunctionType(general.__code__, names, general.__name__, general.__defaults__)

    def chosen(z: Any, alpha: Any, beta: Any) -> Any:
        single = jnp.ndim(alpha) == 0 and jnp.ndim(beta) == 0
        return (quick if single else general)(z, alpha, beta)

    chosen.quickened = True  # type: ignore[attr-defined]
    mittag_leffler._mittag_leffler_hybrid = chosen
