"""Compute what predictions are held against, from the literature's equations, with mpmath.

``pip install mpmath; python -m tests.physics.laplace_references`` writes `laplace_references.json`:
for each pair parameters, x and values, by numerical inversion of the transform (Talbot's method in
40 digits) or by quadrature (SciPy). Nothing here is of rheojobs or RheoJAX.

Sources of the moduli: Schiessel, Metzler, Blumen & Nonnenmacher, J. Phys. A 28 (1995) 6567;
Jaishankar & McKinley, Proc. R. Soc. A 469 (2013) 20120284; of soft glassy rheology: Sollich, Phys.
Rev. E 58 (1998) 738.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("laplace_references.json")
CURVES = Path(__file__).with_name("mittag_leffler_curves.json")
"""E_a(-t^a) over time, for data to be fitted."""

CURVE_ORDERS = [0.2, 0.3, 0.377]
CURVE_TIMES = [10 ** (-3 + 6 * k / 59) for k in range(60)]


def modulus_maxwell_liquid(s: Any, g: Any, a: Any, tau: Any) -> Any:
    """A spring and a springpot in series."""
    return g * (s * tau) ** a / (1 + (s * tau) ** a)


def modulus_maxwell_model(s: Any, c: Any, a: Any, b: Any, tau: Any) -> Any:
    """Two springpots in series, of the orders a and a - b."""
    return c * s**a / (1 + (s * tau) ** b)


def modulus_maxwell_gel(s: Any, c: Any, a: Any, eta: Any) -> Any:
    """A springpot and a dashpot in series."""
    return 1 / (1 / (c * s**a) + 1 / (eta * s))


def modulus_zener_ss(s: Any, ge: Any, gm: Any, a: Any, tau: Any) -> Any:
    """A spring beside a fractional Maxwell liquid."""
    return ge + modulus_maxwell_liquid(s, gm, a, tau)


def modulus_zener_sl(s: Any, ge: Any, c: Any, a: Any, tau: Any) -> Any:
    """A spring beside a fractional Maxwell gel of the viscosity c tau^(1-a)."""
    return ge + modulus_maxwell_gel(s, c, a, c * tau ** (1 - a))


def modulus_zener_ll(s: Any, c1: Any, c2: Any, a: Any, b: Any, g: Any, tau: Any) -> Any:
    """A springpot beside two in series."""
    return modulus_maxwell_model(s, c1, a, b, tau) + c2 * s**g


def modulus_poynting_thomson(s: Any, ge: Any, gk: Any, a: Any, tau: Any) -> Any:
    """A spring in series with a fractional Kelvin-Voigt element."""
    return 1 / (1 / ge + 1 / (gk + gk * (s * tau) ** a))


def modulus_jeffreys(s: Any, eta1: Any, eta2: Any, a: Any, tau: Any) -> Any:
    """A liquid with a relaxation time and a retardation time tau eta2 / eta1."""
    return eta1 * s * (1 + (s * tau * eta2 / eta1) ** a) / (1 + (s * tau) ** a)


def modulus_kelvin_voigt(s: Any, g: Any, c: Any, a: Any) -> Any:
    """A spring beside a springpot."""
    return g + c * s**a


def modulus_burgers(s: Any, jg: Any, eta: Any, jk: Any, a: Any, tau: Any) -> Any:
    """A spring, a dashpot and a fractional Kelvin-Voigt element in series."""
    return 1 / (jg + 1 / (eta * s) + jk / (1 + (s * tau) ** a))


MODELS: dict[str, tuple[Callable[..., Any], list[list[float]]]] = {
    "fractional_maxwell_liquid": (
        modulus_maxwell_liquid,
        [[1e3, 0.3, 2.0], [5e5, 0.05, 30.0], [10.0, 0.97, 0.1]],
    ),
    "fractional_maxwell_model": (
        modulus_maxwell_model,
        [[1e3, 0.3, 0.2, 2.0], [50.0, 0.9, 0.4, 0.5], [7.0, 0.4, 0.4, 1.0]],
    ),
    "fractional_maxwell_gel": (
        modulus_maxwell_gel,
        [[1e3, 0.3, 4e3], [200.0, 0.8, 1e2], [1e5, 0.62, 1e6]],
    ),
    "fractional_zener_ss": (
        modulus_zener_ss,
        [[100.0, 1e3, 0.2, 3.0], [1e5, 3e4, 0.377, 0.2], [1.0, 9.0, 0.95, 1.0]],
    ),
    "fractional_zener_sl": (
        modulus_zener_sl,
        [[100.0, 1e3, 0.65, 3.0], [10.0, 3e2, 0.2, 0.2]],
    ),
    "fractional_zener_ll": (
        modulus_zener_ll,
        [[1e3, 300.0, 0.5, 0.4, 0.3, 1.0], [20.0, 5.0, 0.9, 0.3, 0.1, 7.0]],
    ),
    "fractional_kv_zener": (modulus_poynting_thomson, [[1e4, 1e3, 0.3, 3.0], [1e9, 4e9, 0.8, 0.1]]),
    "fractional_poynting_thomson": (
        modulus_poynting_thomson,
        [[2e4, 5e3, 0.4, 0.3], [1e9, 1e9, 0.15, 10.0]],
    ),
    "fractional_jeffreys": (
        modulus_jeffreys,
        [[1e3, 200.0, 0.7, 1.0], [50.0, 10.0, 0.3, 4.0]],
    ),
    "fractional_kelvin_voigt": (modulus_kelvin_voigt, [[1e3, 500.0, 0.3], [10.0, 1e3, 0.85]]),
    "fractional_burgers": (
        modulus_burgers,
        [[1e-3, 2e3, 2e-3, 0.6, 0.5], [1e-9, 1e12, 2e-9, 0.3, 5.0]],
    ),
}
TIMES = [1e-3, 0.03, 0.4, 1.0, 3.0, 20.0, 1e3]
FREQUENCIES = [1e-3, 0.1, 1.0, 7.0, 1e3]
# x, at tau0 = G0 = 1; the modes of the linear response need x > 1.
NOISE_TEMPERATURES = [1.05, 1.3, 1.5, 2.0, 2.5, 3.0]
RATES = [1e-6, 1e-3, 0.1, 1.0, 30.0]


def main() -> None:
    """Write the file."""
    import mpmath as mp

    mp.mp.dps = 40
    rows: list[dict[str, Any]] = []

    def row(name: str, mode: str, params: list[float], x: list[float], y: list[Any]) -> None:
        values = [[float(v.real), float(v.imag)] if mode == "oscillation" else float(v) for v in y]
        rows.append({"model": name, "mode": mode, "params": params, "x": x, "y": values})

    def inverted(transform: Callable[[Any], Any]) -> list[Any]:
        return [mp.invertlaplace(transform, t, method="talbot") for t in TIMES]

    for name, (modulus, sets) in MODELS.items():
        for params in sets:
            exact = [mp.mpf(repr(p)) for p in params]

            def at(s: Any, modulus: Any = modulus, exact: Any = exact) -> Any:
                return modulus(s, *exact)

            waves = [at(mp.mpc(0, w)) for w in FREQUENCIES]
            row(name, "oscillation", params, FREQUENCIES, waves)
            row(name, "creep", params, TIMES, inverted(lambda s: 1 / (s * at(s))))
            row(name, "relaxation", params, TIMES, inverted(lambda s: at(s) / s))
    for x in NOISE_TEMPERATURES:
        n, params = mp.mpf(repr(x)) - 1, [x, 1.0, 1.0]

        def trap(s: Any, n: Any = n) -> Any:
            """Return the mean of s tau / (1 + s tau) over the density n tau^(-x) above 1."""
            return mp.hyp2f1(1, n, n + 1, -1 / s)

        row("sgr", "oscillation", params, FREQUENCIES, [trap(mp.mpc(0, w)) for w in FREQUENCIES])
        row("sgr", "relaxation", params, TIMES, inverted(lambda s: trap(s) / s))
        row("sgr", "creep", params, TIMES, inverted(lambda s: 1 / (s * trap(s))))
    for x in [0.6, 1.0, *NOISE_TEMPERATURES]:
        row("sgr", "flow_curve", [x, 1.0, 1.0], RATES, [flow(x, rate) for rate in RATES])
    CURVES.write_text(json.dumps({"t": CURVE_TIMES, **curves(mp)}) + "\n")
    PATH.write_text(json.dumps(rows, indent=None).replace("}, {", "},\n{") + "\n")


def curves(mp: Any) -> dict[str, list[float]]:
    """Return E_a(-t^a) at the times of the curves, by order."""
    found = {}
    for order in CURVE_ORDERS:
        a = mp.mpf(repr(order))
        found[str(order)] = [
            float(mp.invertlaplace(lambda s, a=a: s ** (a - 1) / (s**a + 1), t, method="talbot"))
            for t in CURVE_TIMES
        ]
    return found


def flow(x: float, rate: float) -> float:
    """Return the steady stress of soft glassy rheology, by SciPy's quadrature of its equations.

    The share of elements of age t that have not yielded is the mean of exp(-z(t) exp(-E / x)) over
    rho(E) = exp(-E), with z(t) the integral of exp((rate t')² / (2 x)) over t'.
    """
    from scipy.integrate import quad
    from scipy.special import erfi, gamma, gammainc

    def share(s: float) -> float:
        """Return the share at the age t = s sqrt(2 x) / rate."""
        z = math.sqrt(2 * x) / rate * math.sqrt(math.pi) / 2 * float(erfi(s))
        return float(x * z ** (-x) * gamma(x) * gammainc(x, z)) if z > 1e-300 else 1.0

    # It falls off within 1 / (2 s x) of its end.
    end = math.sqrt(10 + 50 / x + max(0, math.log(rate)))
    pieces = [0.0, *(10.0**k for k in range(-12, 0)), 0.25, 0.5, 0.75]
    pieces += [1 + (end - 1) * k / 60 for k in range(61)]

    def integral(function: Callable[[float], float]) -> float:
        ends = itertools.pairwise(pieces)
        return math.fsum(quad(function, *piece, epsabs=0, epsrel=1e-12)[0] for piece in ends)

    return math.sqrt(2 * x) * integral(lambda s: s * share(s)) / integral(share)


if __name__ == "__main__":
    main()
