"""Rank-normalised split R-hat and effective sample size of draws, as ArviZ defines them.

The tests compare with ArviZ, which is not used here because importing its statistics takes as
long as a short sampling. Unlike ArviZ, all are NaN if a chain does not move or a draw is not
finite, as in R's package posterior: ArviZ gives a chain that is stuck one effective draw for each.

References
----------
A. Vehtari et al., Bayesian Analysis 16 (2021) 667-718;
C. J. Geyer, Statistical Science 7 (1992) 473-483 (where the sum of autocorrelations ends);
G. Blom, Statistical Estimates and Transformed Beta-Variables (1958) (scores of ranks).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST_DRAWS", "TAIL", "Convergence", "quantiles", "still_chains"]

FEWEST_DRAWS = 4
"""The least number of draws per chain for which these diagnostics are defined."""

TAIL = 0.95
"""The tail ESS is the smaller of this quantile's and the opposite one's (Vehtari et al. 2021)."""

BLOM = 3 / 8

type Floats = NDArray[np.float64]


class Convergence:
    """How well chains have explored their distribution.

    Parameters
    ----------
    draws : ndarray, shape (p, chains, draws)
        Of p parameters, at least `FEWEST_DRAWS` of each chain.

    Attributes
    ----------
    ess_bulk, ess_tail, ess_mean : ndarray, shape (p,)
        Effective sample sizes of the bulk, of the tails and of the mean.
    r_hat : ndarray, shape (p,)
        The larger of that of the bulk and that of the tails; NaN for a single chain.

    All four are NaN for a parameter with a chain that does not move, or a draw that is not finite.
    """

    def __init__(self, draws: Floats) -> None:
        known = np.isfinite(draws).all(axis=(1, 2)) & ~still_chains(draws).any(axis=1)
        unknown = np.full(draws.shape[0], np.nan)
        self.ess_bulk, self.ess_tail, self.ess_mean, self.r_hat = (unknown.copy() for _ in range(4))
        if known.any():
            bulk, tail, mean, r_hat = _diagnosed(draws[known])
            self.ess_bulk[known], self.ess_tail[known] = bulk, tail
            self.ess_mean[known], self.r_hat[known] = mean, r_hat


def still_chains(draws: Floats) -> NDArray[np.bool_]:
    """Return which chains never move, shape (p, chains), for draws of shape (p, chains, draws)."""
    still: NDArray[np.bool_] = (draws == draws[:, :, :1]).all(axis=2)
    return still


def _diagnosed(draws: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the bulk, tail and mean ESS, and R-hat, of finite draws that move."""
    count = draws.shape[0]
    split = _split(draws)
    scores = _normal_scores(split)
    ends = quantiles(draws, [1.0 - TAIL, TAIL])[..., None, None]
    below, above = (_split((draws <= end).astype(float)) for end in ends)
    sizes = _effective_sizes(np.concatenate([scores, split, below, above]))
    bulk, mean, *tails = (sizes[k * count : (k + 1) * count] for k in range(4))
    r_hat = np.full(count, np.nan)
    if draws.shape[1] > 1:
        middle = np.median(split, axis=(1, 2), keepdims=True)
        folded = _normal_scores(np.abs(split - middle))
        r_hat = np.fmax(_scale_reductions(scores), _scale_reductions(folded))
    return bulk, np.minimum(*tails), mean, r_hat


def quantiles(draws: Floats, shares: Sequence[float]) -> Floats:
    """Return quantiles, shape (q, p), of each row of draws, shape (p, chains, draws).

    They equal NumPy's, but come from one sort, which takes a quarter of the time.
    """
    ordered = np.sort(draws.reshape(draws.shape[0], -1), axis=1)
    last = ordered.shape[1] - 1
    found = np.empty((len(shares), draws.shape[0]))
    for row, share in zip(found, shares, strict=True):
        below, part = divmod(share * last, 1.0)
        low, high = ordered[:, int(below)], ordered[:, min(int(below) + 1, last)]
        # From the nearer of the two, as NumPy does: draws are compared with the result.
        step = high - low
        row[:] = low + part * step if part < 0.5 else high - (1.0 - part) * step
    return found


def _split(draws: Floats) -> Floats:
    """Split each chain in two, so that the halves of a drifting chain disagree."""
    half = draws.shape[2] // 2
    return np.concatenate([draws[:, :, :half], draws[:, :, -half:]], axis=1)


@functools.lru_cache(maxsize=4)
def _scores(count: int) -> Floats:
    """Return the normal scores of the ranks 1, 1.5, 2, ... of so many draws."""
    ranks = np.arange(2, 2 * count + 1) / 2
    shares = (ranks - BLOM) / (count - 2 * BLOM + 1)
    return np.array(list(map(NormalDist().inv_cdf, shares.tolist())))


def _normal_scores(draws: Floats) -> Floats:
    """Replace draws by the normal scores of their ranks, ties by that of their mean rank."""
    rows = draws.reshape(draws.shape[0], -1)
    count = rows.shape[1]
    table = _scores(count)
    out = np.empty(rows.shape)
    for row, scored in zip(rows, out, strict=True):
        order = np.argsort(row)
        ordered = row[order]
        first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        after = np.append(first[1:], count)
        # Twice the mean rank of a group, less the 2 that the table starts with.
        scored[order] = np.repeat(table[first + after - 1], after - first)
    return out.reshape(draws.shape)


def _scale_reductions(chains: Floats) -> Floats:
    """Return R-hat of each row, shape (p, chains, draws)."""
    length = chains.shape[2]
    between = length * np.var(chains.mean(axis=2), axis=1, ddof=1)
    within = np.var(chains, axis=2, ddof=1).mean(axis=1)
    return np.asarray(np.sqrt((between / within + length - 1) / length))


def _effective_sizes(chains: Floats) -> Floats:
    """Return the effective sample size of each row, shape (p, chains, draws)."""
    _, number, length = chains.shape
    # Row by row: intermediate arrays stay in the processor's cache.
    covariance = np.stack([_mean_autocovariance(row) for row in chains])
    within = covariance[:, :1] * length / (length - 1)
    total = covariance[:, :1].copy()
    if number > 1:
        total += np.var(chains.mean(axis=2), axis=1, ddof=1)[:, None]
    correlation = 1.0 - (within - covariance) / total
    correlation[:, 0] = 1.0
    sizes = np.array([number * length / _correlation_time(row, number) for row in correlation])
    # Of few draws, the shares below a quantile, or the scores, may be all the same.
    sizes[(chains == chains[:, :1, :1]).all(axis=(1, 2))] = np.nan
    return sizes


def _mean_autocovariance(chains: Floats) -> Floats:
    """Return the mean autocovariance at all lags of chains, shape (chains, draws), by FFT."""
    length = chains.shape[1]
    padded = 1 << (2 * length - 1).bit_length()
    spectrum = np.fft.rfft(chains - chains.mean(axis=1, keepdims=True), n=padded)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=0)
    return np.asarray(np.fft.irfft(power, n=padded)[:length] / length)


def _correlation_time(correlation: Floats, number: int) -> float:
    """Sum the autocorrelations of one parameter, shape (draws,), up to where noise begins."""
    length = correlation.size
    even = correlation[0 : length - 1 : 2]
    pairs = even + correlation[1::2]
    # Sums of two neighbours are positive and decrease, until noise begins.
    last = max(0, (length - 3) // 2)
    noise = np.flatnonzero(~(pairs[: last + 1] > 0))
    end = int(noise[0]) if noise.size else last
    settled = np.minimum.accumulate(pairs[:end]).sum()
    rest = even[end] if pairs[end] >= 0 or even[end] > 0 else 0.0
    time = -1.0 + 2.0 * settled + rest
    return float(max(time, 1.0 / np.log10(number * length)))
