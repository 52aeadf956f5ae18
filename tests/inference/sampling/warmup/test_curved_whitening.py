"""Coordinates that follow curved ridges: they keep volume, and make round what they should."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rheojobs.inference.fits.task import fit
from rheojobs.inference.sampling.mode_search import View
from rheojobs.inference.sampling.sample import sample
from rheojobs.inference.sampling.warmup.curved_whitening import Bend, bent

LOW, HIGH = 1e-6, 1e6


def value(z, low: float = LOW, high: float = HIGH):
    """Map a coordinate to a parameter between two bounds."""
    return low + (high - low) * jax.nn.sigmoid(z)


def looking(potential):
    """Look around a point of a potential as a climb does, with the true curvature."""

    def look(z):
        curvature = np.asarray(jax.hessian(potential)(z))
        return View(-potential(z), -np.asarray(jax.grad(potential)(z)), curvature)

    return look


def ridge(straight, width: float = 0.05, at: float = -20.0, sd: float = 3.0):
    """Two coordinates, the first of which follows what `straight` makes of the second."""
    origin, slope = straight(at), jax.grad(straight)(at)

    def potential(z):
        off = z[0] - (straight(z[1]) - origin) / slope
        return 0.5 * (off / width) ** 2 + 0.5 * ((z[1] - at) / sd) ** 2

    return potential, np.array([0.0, at])


LIMITS = [(-math.inf, math.inf), (LOW, HIGH)]


def coordinates(potential, center, limits=LIMITS) -> tuple[np.ndarray, Bend]:
    look = looking(potential)
    return bent(center, look(center).curvature, limits, look)


@pytest.mark.parametrize(
    ("straight", "is_linear"),
    [(lambda z: jnp.log(value(z)), False), (value, True)],
    ids=["logarithm", "value"],
)
def test_a_ridge_that_is_straight_in_a_parameter_is_round(straight, is_linear):
    potential, center = ridge(straight, sd=3.0 if not is_linear else 1.0)
    scale, bend = coordinates(potential, center)
    assert bend.is_linear[1] == is_linear
    assert bend.rate[1] != 0
    assert bend.rate[0] == 0
    for w in np.random.default_rng(0).normal(size=(50, 2)) * 1.5:
        z = center + bend.applied(center, scale @ w)
        assert potential(z) == pytest.approx(0.5 * w @ w, rel=1e-6)


def test_a_straight_ridge_is_left_straight():
    """Its logarithm is the coordinate but for the bounds, which chains do not come near."""
    potential, center = ridge(lambda z: z, at=-16.0, sd=1.0)
    scale, bend = coordinates(potential, center)
    assert not bend.rate.any()
    np.testing.assert_allclose(np.linalg.inv(scale @ scale.T), looking(potential)(center).curvature)


def test_the_logarithm_is_not_taken_at_a_bound():
    """There a small part of it is a large part of the coordinate."""
    potential, center = ridge(lambda z: z, at=-45.0)
    assert not coordinates(potential, center)[1].rate.any()


@pytest.mark.parametrize("what", ["gradient", "curvature"])
def test_what_cannot_be_seen_bends_nothing(what):
    potential, center = ridge(value, at=-16.0, sd=1.0)
    curvature = looking(potential)(center).curvature

    def look(z):
        seen = looking(potential)(z)
        return seen._replace(**{what: np.full_like(getattr(seen, what), np.nan)})

    assert coordinates(potential, center)[1].is_linear.any()
    scale, bend = bent(center, curvature, LIMITS, look)
    assert not bend.rate.any()
    assert np.isfinite(scale).all()


def test_one_parameter_alone_bends_nothing():
    scale, bend = bent(
        np.zeros(1), np.array([[4.0]]), [(0.0, math.inf)], looking(lambda z: z[0] ** 2)
    )
    np.testing.assert_allclose(scale, [[0.5]])
    assert not bend.rate.any()


def curved(seed: int, kinds: list[str]):
    """A posterior that is Gaussian in the values of some parameters, the logarithms of others."""
    generator = np.random.default_rng(seed)
    dimension = len(kinds)
    root = generator.normal(size=(dimension, dimension))
    curvature = root @ root.T + 0.05 * np.eye(dimension)
    ends = {"free": (-math.inf, math.inf), "open": (0.0, math.inf)}
    limits = [ends.get(kind, (LOW, HIGH)) for kind in kinds]
    center = generator.uniform(-26.0, -20.0, dimension)

    def straight(z, kind):
        if kind == "free":
            return z
        found = jnp.exp(z) if kind == "open" else value(z)
        return jnp.log(found) if kind == "logarithm" else found

    def unit(z):
        at = zip(z, center, kinds, strict=True)
        return jnp.stack(
            [(straight(x, k) - straight(c, k)) / jax.grad(straight)(c, k) for x, c, k in at]
        )

    def look(z):
        off, slopes = np.asarray(unit(z)), np.diag(jax.jacfwd(unit)(z))
        return View(0.0, -slopes * (curvature @ off), slopes[:, None] * curvature * slopes)

    return center, limits, look


KINDS = ["free", "logarithm", "value", "open"]


def check_volume(seed: int, kinds: list[str]) -> Bend:
    center, limits, look = curved(seed, kinds)
    scale, bend = bent(center, look(center).curvature, limits, look)
    w = np.random.default_rng(seed).normal(size=center.size)
    jacobian = jax.jacfwd(lambda w: center + bend.applied(center, scale @ w))(w)
    assert np.linalg.slogdet(jacobian)[1] == pytest.approx(np.linalg.slogdet(scale)[1], abs=1e-6)
    return bend


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=5),
)
def test_volume_is_kept(seed: int, kinds: list[str]) -> None:
    """Whatever is bent by what: else the draws would be those of another posterior."""
    check_volume(seed, kinds)


def test_volume_is_kept_where_several_are_bent():
    bends = [check_volume(seed, [*KINDS, "value"]) for seed in range(8)]
    assert max((bend.rate != 0).sum() for bend in bends) >= 3
    assert any(bend.is_linear.any() for bend in bends)
    assert any((bend.rate != 0)[~bend.is_linear].any() for bend in bends)


def test_no_chain_sticks_at_a_bound(polyisoprene):
    """One of twelve samplings did here: the relaxation time reaches its bound, 1e-6 s."""
    start = fit(polyisoprene, "fractional_maxwell_liquid").parameters
    for seed in (1, 14, 19):
        found = sample(
            polyisoprene,
            "fractional_maxwell_liquid",
            warm_start=start,
            num_warmup=500,
            num_samples=500,
            seed=seed,
            default_priors="rheojax",
            checkpoint="",
        )
        assert found.diagnostics["divergences"] <= 2
        assert max(found.diagnostics["r_hat"].values()) < 1.02
        assert min(found.diagnostics["ess_tail"].values()) > 300
