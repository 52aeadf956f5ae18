"""Choose where the chains start: about the maximum of a posterior, or in its separate maxima.

Chains that all begin in one maximum agree even if there is another: R-hat cannot see it. So the
maximum is searched for from several places, and chains begin in each that holds a share of the
posterior; about each they begin overdispersed.

References
----------
A. Gelman, D. B. Rubin, Statistical Science 7 (1992) 457-472.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError
from rheojobs.inference.fits.objective import Objective
from rheojobs.inference.fits.start_points import candidates
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.sampling.mode_search import NEAR_ENOUGH, Climb, setting_out
from rheojobs.inference.sampling.programs import programs_of
from rheojobs.inference.sampling.warmup.whitening import Geometry, climb

__all__ = ["SPREADS", "Starts", "curve_of", "find_starts", "start_values"]

SPREADS = (2.0, 1.0, 0.5, 0.1, 0.0)
"""Distances of a chain's start from the maximum, in posterior standard deviations, to be tried."""

PLACES = 4
"""How many places are searched from among those plausible for the data, and of the priors each."""

SEARCH_STEPS = 60
"""How many points a search takes at most; one that has not ended by then is dropped."""

LEAST_SHARE = 0.01
"""The share of the largest maximum's probability from which on chains start in another one.

By Laplace's approximation: the density times the volume.
"""

BARRIER = 3.0
"""How far the log density falls between two maxima that are separate."""

NEAR = 2.0
"""Maxima are the same if they are so many standard deviations apart."""

PATH = (0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9)
"""Where the density is evaluated between two maxima."""

type Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Starts:
    """Where the chains start.

    Attributes
    ----------
    geometries : tuple of Geometry
        Coordinates of each chain, centred on its maximum; a single one if all have the same.
    report : dict
        What was found, as JSON: searches, modes (how many maxima are separate), chains (in which
        of them each starts), shares (of the probability in each, by Laplace's approximation) and
        words; once the chains begin, target_accept too.
    """

    geometries: tuple[Geometry, ...]
    report: dict[str, Any]


@dataclass(frozen=True, eq=False)
class _Mode:
    """A maximum of the posterior and, by Laplace's approximation, the logarithm of its mass."""

    top: Climb
    mass: float

    @classmethod
    def of(cls, top: Climb) -> _Mode:
        _, determinant = np.linalg.slogdet(np.asarray(top.view.curvature))
        return cls(top, float(top.view.density) - 0.5 * float(determinant))


def find_starts(
    posterior: Posterior,
    parameters: Mapping[str, float],
    others: Sequence[Mapping[str, float]],
    chains: int,
    seed: int,
    check: Callable[[], None],
    fit: Callable[[], Mapping[str, float]] | None = None,
) -> Starts:
    """Find the maxima of a posterior, and distribute the chains among those that count.

    Parameters
    ----------
    posterior : Posterior
        What is sampled.
    parameters : mapping
        A full set to start from.
    others : sequence of mapping
        Further places to search from, such as the other minima of a fit.
    chains : int
        How many.
    seed : int
        Of the places that are drawn from the priors.
    check : callable
        Called regularly; may raise.
    fit : callable, optional
        Fits the model and returns its parameters; called if no maximum is reached from the given
        ones, which may be an estimate far from the data.
    """
    top = climb(posterior, _position(posterior, parameters), check)
    if not _has_arrived(top) and fit is not None and (fitted := fit()):
        others = (fitted, *others)
    climbs = [_search(posterior, start, check) for start in _places(posterior, others, seed)]
    ended = [found for found in climbs if _has_arrived(found)]
    if not _has_arrived(top) and ended:  # far from any maximum: the coordinates would be useless
        top = max(ended, key=lambda found: float(found.view.density))
    main = Geometry.at(top, posterior, check)
    if not _has_arrived(top):
        return Starts((main,), _report(np.ones(1), [0] * chains, 0, False) | {"arrived": False})
    modes, searches = [_Mode.of(top)], len(climbs)
    for found in ended:
        _take(modes, _Mode.of(found), main, posterior, check)
    best = max(mode.mass for mode in modes)
    counted = [mode for mode in modes if mode.mass >= best + math.log(LEAST_SHARE)]
    # The first is that of the given start if it counts, then the others by their mass.
    counted.sort(key=lambda mode: (mode is not modes[0], -mode.mass))
    used = counted[:chains]
    geometries = [
        main if mode.top is top else Geometry.at(mode.top, posterior, check) for mode in used
    ]
    places = [chain % len(used) for chain in range(chains)]
    is_left = modes[0] not in counted
    masses = np.exp([mode.mass - best for mode in counted])
    report = _report(masses / masses.sum(), places, searches, is_left)
    return Starts(
        tuple(geometries[place] for place in places) if len(used) > 1 else tuple(geometries), report
    )


def _search(posterior: Posterior, start: Floats, check: Callable[[], None]) -> Climb:
    """Climb from a place, and again if it has ended with the modes in another order."""
    found = climb(posterior, start, check, SEARCH_STEPS)
    again: Floats = posterior.with_sorted_modes(np.asarray(found.center)[None])[0]
    if (again != np.asarray(found.center)).any():
        found = climb(posterior, again, check, SEARCH_STEPS)
    return found


def _has_arrived(top: Climb) -> bool:
    """Whether a climb has ended at a maximum, not by its limit of steps or on the way."""
    if top.is_going_on or not top.is_regular:
        return False
    return _missing(top) < 10 * NEAR_ENOUGH


def _missing(top: Climb) -> float:
    """Return how far a climb has ended below its maximum, if the density is Gaussian there."""
    gradient = np.asarray(top.view.gradient)
    return 0.5 * float(gradient @ np.linalg.solve(np.asarray(top.view.curvature), gradient))


def _take(
    modes: list[_Mode],
    found: _Mode,
    main: Geometry,
    posterior: Posterior,
    check: Callable[[], None],
) -> None:
    """Add a maximum to those known, or put it in the place of a lower one that is not separate."""
    if found.mass < max(mode.mass for mode in modes) + math.log(LEAST_SHARE):
        return
    for place, known in enumerate(modes):
        if not _is_separate(known, found, main, posterior, check):
            if place > 0 and found.top.view.density > known.top.view.density:
                modes[place] = found
            return
    modes.append(found)


def _is_separate(
    one: _Mode, other: _Mode, main: Geometry, posterior: Posterior, check: Callable[[], None]
) -> bool:
    """Whether two maxima are apart, with a barrier on the way from one to the other."""
    straight = [np.asarray(mode.top.center) for mode in (one, other)]
    round_ = [main.whitened(end) for end in straight]
    is_known = all(np.isfinite(end).all() for end in round_)
    if is_known and np.linalg.norm(round_[1] - round_[0]) < NEAR:
        return False
    ends = round_ if is_known else straight
    lower = min(float(mode.top.view.density) for mode in (one, other))
    for share in PATH:
        check()
        between = ends[0] + share * (ends[1] - ends[0])
        z = np.asarray(main.unconstrained(between)) if is_known else between
        view = programs_of(posterior).climb(setting_out(z), 1, *posterior.data).view
        if not float(view.density) >= lower - BARRIER:  # NaN is a barrier too
            return True
    return False


def _places(
    posterior: Posterior, others: Sequence[Mapping[str, float]], seed: int
) -> Iterator[Floats]:
    """Yield unconstrained coordinates from which to search."""
    for values in (*others, *_plausible(posterior), *_of_priors(posterior, seed)):
        try:
            yield _position(posterior, values)
        except InputError:  # no finite curve there, or no chance under a prior
            continue


def _plausible(posterior: Posterior) -> list[dict[str, float]]:
    """Return sets of parameters that suit the scales of the data, as a fit tries them."""
    problem = posterior.problem
    if problem.model.forward_mode:  # equations far from the data may take minutes to solve
        return []
    names = problem.model.names
    points = candidates(problem, problem.model.parameters, posterior.fixed, PLACES)
    return [dict(zip(names, point, strict=True)) for point in points.tolist()]


def _of_priors(posterior: Posterior, seed: int) -> list[dict[str, float]]:
    """Return sets of parameters drawn from the priors; none if these cannot be drawn from."""
    problem = posterior.problem
    if problem.model.forward_mode:
        return []
    try:
        drawn = posterior.draw(PLACES, np.random.default_rng(np.random.SeedSequence(seed)))
    except InputError:
        return []
    return [
        {name: float(drawn[name][k]) for name in problem.model.names if name in drawn}
        | posterior.fixed
        for k in range(PLACES)
    ]


def _position(posterior: Posterior, parameters: Mapping[str, float]) -> Floats:
    """Return the unconstrained coordinates of parameters, with a noise that suits them."""
    problem, start = posterior.problem, posterior.within_priors(parameters)
    y, predicted = curve_of(problem, start)
    noise = posterior.within_priors(posterior.likelihood.start(problem, y, predicted))
    z = posterior.unconstrain(posterior.site_values(start, noise))
    ordered: Floats = posterior.with_sorted_modes(z[None])[0]
    return ordered


def curve_of(problem: Problem, parameters: Mapping[str, float]) -> tuple[Floats, Floats]:
    """Return the data and the model's prediction, shape (c, n) each."""
    params = np.array([parameters[name] for name in problem.model.names])
    seen = problem.coarse_observations
    predicted = Objective.of(problem).predict(params, seen.x)[:, : seen.n]
    if not np.isfinite(predicted).all():
        start = ", ".join(f"{name} = {value:g}" for name, value in parameters.items())
        raise InputError(
            f"{problem.model.name} gives no finite values at {start}: start elsewhere (warm_start=)"
        )
    return seen.y[:, : seen.n], predicted


def start_values(
    problem: Problem, given: Mapping[str, float], fixed: Mapping[str, float]
) -> dict[str, float]:
    """Return a full set of parameters: the given ones, and estimates of the others.

    Parameters
    ----------
    problem : Problem
        The model and the data.
    given : mapping
        Values of parameters and alternatives, such as a fit's.
    fixed : mapping
        Parameters with a fixed value; these take precedence.
    """
    kept = problem.fixed_values(fixed)
    free = {name: value for name, value in given.items() if name not in kept}
    own = problem.model.resolve_values(free, kept) | kept
    if all(name in own for name in problem.model.names):
        return own
    return Objective.of(problem).estimate(problem, own)


def _report(shares: Floats, places: list[int], searches: int, is_left: bool) -> dict[str, Any]:
    near, modes = f"up to {SPREADS[0]:g} standard deviations", len(shares)
    found = f"{near} about the maximum of the posterior"
    if modes > 1:
        held = ", ".join(f"{100 * share:.2g} %" for share in shares)
        found = f"{near} about {modes} separate maxima of the posterior (of about {held})"
    tried = f"; {searches + 1} searches found it" if searches and modes == 1 else ""
    tried = f"; {searches + 1} searches found them" if modes > 1 else tried
    left = "; that of the given start holds next to nothing" if is_left else ""
    return {
        "modes": modes,
        "shares": shares.tolist(),
        "chains": places,
        "searches": searches + 1,
        "words": f"{found}{tried}{left}",
    }
