"""The published equations of models in simple shear, solved by SciPy: what creep is held against.

Written from the papers, not from the code under test. A material is dy/dt = slopes(y, rate) and a
shear stress linear in y, beside a solvent. In creep the rate is (held - stress)/solvent; without a
solvent it follows from d(stress)/dt = 0, from the state that the elastic strain leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp

TIGHT = {"method": "Radau", "rtol": 1e-10, "atol": 1e-12}


@dataclass(frozen=True)
class Published:
    """`jumped` is the state after a step of strain by the elastic strain held / modulus."""

    slopes: Callable
    weights: np.ndarray
    rest: np.ndarray
    jumped: Callable
    modulus: float
    solvent: float

    def creep(self, held: float, t: np.ndarray) -> np.ndarray:
        """Return the strain."""

        def eliminated(_, y):
            still = self.slopes(y[1:], 0.0)
            moving = self.slopes(y[1:], 1.0) - still
            rate = -(self.weights @ still) / (self.weights @ moving)
            return np.concatenate([[rate], still + rate * moving])

        def driven(_, y):
            rate = (held - self.weights @ y[1:]) / self.solvent
            return np.concatenate([[rate], self.slopes(y[1:], rate)])

        if self.solvent > 0:
            field, start = driven, np.concatenate([[0.0], self.rest])
        else:
            strain = held / self.modulus
            field, start = eliminated, np.concatenate([[strain], self.jumped(strain)])
        return solved(field, start, t)[0]

    def stress(self, rate: Callable, t: np.ndarray) -> np.ndarray:
        """Return the stress under a rate that depends on time."""
        y = solved(lambda s, y: self.slopes(y, rate(s)), self.rest, t)
        return self.weights @ y + self.solvent * np.array([rate(s) for s in t])


def solved(field: Callable, start: np.ndarray, t: np.ndarray, **others) -> np.ndarray:
    """Return the solution at times t, from time zero."""
    given = {**TIGHT, **others}
    out = solve_ivp(field, (0.0, float(np.max(t))), start, dense_output=True, **given)
    assert out.success, out.message
    return out.sol(t)


def giesekus(eta_p, lam, alpha, eta_s) -> Published:
    """Giesekus, J. Non-Newton. Fluid Mech. 11 (1982) 69, in stresses xx, yy, zz, xy."""
    modulus = eta_p / lam

    def slopes(y, rate):
        tau = np.array([[y[0], y[3], 0], [y[3], y[1], 0], [0, 0, y[2]]])
        grad = np.array([[0, rate, 0], [0, 0, 0], [0, 0, 0]])
        out = grad @ tau + tau @ grad.T + modulus * (grad + grad.T)
        out -= (tau + alpha / modulus * tau @ tau) / lam
        return np.array([out[0, 0], out[1, 1], out[2, 2], out[0, 1]])

    def jumped(strain):
        return np.array([modulus * strain**2, 0.0, 0.0, modulus * strain])

    return Published(slopes, np.eye(4)[3], np.zeros(4), jumped, modulus, eta_s)


def bell_network(modulus, tau, force, eta_s) -> Published:
    """Tanaka & Edwards, Macromolecules 25 (1992) 1516, with Bell's rate of breaking."""

    def slopes(y, rate):
        beta = np.exp(force * (np.sqrt((y[0] + y[1] + y[2]) / 3) - 1)) / tau
        flow = np.array([2 * rate * y[3], 0, 0, rate * y[1]])
        return flow + np.array([1, 1, 1, 0]) / tau - beta * y

    def jumped(strain):
        return np.array([1 + strain**2, 1, 1, strain])

    rest = np.array([1.0, 1, 1, 0])
    return Published(slopes, modulus * np.eye(4)[3], rest, jumped, modulus, eta_s)


def loops_and_bridges(modulus, tau_b, tau_a, force, eta_s, rate, t) -> np.ndarray:
    """Start-up stress by Annable et al. (1993) and Tripathi et al. (2006), from the true rest."""
    inner = bell_network(1.0, tau_b, force, 0.0)

    def field(_, y):
        beta = np.exp(force * (np.sqrt(np.sum(y[1:4]) / 3) - 1)) / tau_b
        return np.concatenate([[(1 - y[0]) / tau_a - y[0] * beta], inner.slopes(y[1:], rate)])

    start = np.concatenate([[tau_b / (tau_a + tau_b)], inner.rest])
    y = solved(field, start, t)
    return modulus * y[0] * y[4] + eta_s * rate


def modes(moduli, rates, eta_s=0.0, spring=0.0) -> Published:
    """Maxwell modes and a spring in parallel, whose stresses are the state."""
    moduli, rates = np.append(moduli, spring), np.append(rates, 0.0)

    def slopes(y, rate):
        return moduli * rate - rates * y

    total = float(np.sum(moduli))
    return Published(
        slopes, np.ones(len(moduli)), np.zeros(len(moduli)), lambda g: moduli * g, total, eta_s
    )


def vitrimer(g_p, g_e, nu_0, e_a, v_act, temperature, g_d, k_d) -> Published:
    """Vernerey, Long & Brighenti (2017); Meng et al., Macromolecules 52 (2019): exchange by stress.

    The state is E's xy and natural xy, xx and natural xx; D's xy; and the strain.
    """
    thermal = 8.314462618 * temperature

    def slopes(y, rate):
        exy, nxy, exx, nxx, dxy, _ = y
        mises = np.sqrt((g_e * (exx - nxx)) ** 2 + 3 * (g_e * (exy - nxy)) ** 2)
        k = nu_0 * np.exp(-e_a / thermal) * np.cosh(v_act * mises / thermal)
        shear = np.array([rate, 0, 2 * rate * exy, 0, rate, rate])
        fade = np.array([nxy - exy, exy - nxy, nxx - exx, exx - nxx, 0, 0])
        return shear + k * fade + np.array([0, 0, 0, 0, -k_d * dxy, 0])

    def jumped(g):
        return np.array([g, 0, 1 + g**2, 1, g, g])

    weights = np.array([g_e, -g_e, 0, 0, g_d, g_p])
    return Published(slopes, weights, np.array([0.0, 0, 1, 1, 0, 0]), jumped, g_p + g_e + g_d, 0.0)


def hardening(p: dict) -> Published:
    """Dimitriou & McKinley (2014, 2019): stress, backstress and structure of one element."""

    def slopes(y, rate):
        sigma, back, lam = y
        over = max(abs(sigma - back) - p["sigma_y0"] - p["delta_sigma_y"] * lam, 0.0)
        flow = over / p["mu_p"]
        plastic = flow * np.sign(sigma - back)
        recovery = p["gamma_dyn"] * abs(back) ** (p["m"] - 1) * back * flow
        return np.array(
            [
                p["G"] * (rate - plastic) - p["G"] / p["eta"] * sigma,
                p["C"] * plastic - recovery,
                (1 - lam) / p["tau_thix"] - p["Gamma"] * lam * flow,
            ]
        )

    rest = np.array([0.0, 0.0, 1.0])
    return Published(
        slopes, np.eye(3)[0], rest, lambda g: np.array([p["G"] * g, 0, 1]), p["G"], p["eta_inf"]
    )
