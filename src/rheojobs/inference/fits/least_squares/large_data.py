"""Sums over many data: pieces of them for one call of a program each, blocks within a call.

A piece has always the same length, so that one program serves any number of data. A block is so
short that all that is computed of it stays in a processor's cache: only sums are kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.fits.least_squares.residuals import (
    Data,
    Predict,
    Seen,
    Sums,
    linearized,
    summed,
)
from rheojobs.machine import processors

__all__ = ["PIECE", "Pieces", "block_sums", "block_values", "thinned"]

BLOCK = 4096
PIECE = 32 * BLOCK


def thinned(data: Data, index: NDArray[np.int64]) -> Data:
    """Return the data at these of them."""
    return data._replace(
        x=data.x[index], y=data.y[:, index], sigma=data.sigma[:, index], mask=data.mask[index]
    )


class Pieces:
    """The data of a fit as programs take them: the number of data in place of the mask.

    Parameters
    ----------
    data : Data
        All of one length, (n,) and (c, n), without padding.
    """

    def __init__(self, data: Data) -> None:
        n = len(data.x)
        # One divisor for all data is not repeated.
        sigma = data.sigma[:, :1] if data.sigma.strides[-1] == 0 else data.sigma
        self._whole = data._replace(sigma=sigma)
        self._full = n // PIECE
        self._last = self._cut(n - n % PIECE, n % PIECE) if n % PIECE else None

    def __iter__(self) -> Iterator[Data]:
        for number in range(self._full):
            yield self._cut(number * PIECE, PIECE)
        if self._last is not None:
            yield self._last

    def __len__(self) -> int:
        return self._full + (self._last is not None)

    def mapped[T](
        self, program: Callable[[Data], T], check: Callable[[], None] = lambda: None
    ) -> Iterator[T]:
        """Yield what a program makes of each piece, in order; `check` is called before each.

        All processors take part: a program within a piece uses one.
        """
        if not self._full and self._last is not None:
            check()
            yield _called(program, self._last)
            return
        ahead: deque[Future[T]] = deque()
        with ThreadPoolExecutor(processors()) as pool:
            for piece in self:
                check()
                ahead.append(pool.submit(_called, program, piece))
                if len(ahead) > processors():
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

    def _cut(self, first: int, count: int) -> Data:
        whole, span = self._whole, slice(first, first + count)
        padding = (0, PIECE - count)

        def filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
            part = values[..., span] if values.shape[-1] > 1 else values
            if not padding[1] or values.shape[-1] == 1:
                return part
            return np.pad(part, [(0, 0)] * (part.ndim - 1) + [padding], mode="edge")

        return whole._replace(
            x=filled(whole.x), y=filled(whole.y), sigma=filled(whole.sigma), mask=np.int64(count)
        )


def _called[T](program: Callable[[Data], T], piece: Data) -> T:
    found: T = jax.tree.map(np.asarray, program(piece))
    return found


def block_sums(predict: Predict, u: Any, piece: Data) -> Sums:
    """Return the sums over a piece at coordinates, shape (d,); traceable."""
    d = len(u)
    nothing = Sums(jnp.zeros(()), jnp.zeros(d), jnp.zeros((d, d)), jnp.asarray(True))

    def add(number: Any, before: Sums) -> Sums:
        block = _block(piece, number)
        here = summed(*linearized(predict, u, block), block)
        return Sums(
            before.cost + here.cost,
            before.gradient + here.gradient,
            before.hessian + here.hessian,
            before.allowed & here.allowed,
        )

    result: Sums = jax.lax.fori_loop(0, _blocks(piece), add, nothing)
    return result


def block_values(predict: Predict, u: Any, piece: Data) -> Seen:
    """Return what the model gives at a piece; in place of the Jacobian, its triangular factor.

    The factor, shape (d, d), has the singular values of the Jacobian.
    """

    def add(number: Any, before: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        residuals, curve, factor = before
        seen, _ = linearized(predict, u, _block(piece, number))
        rows = jnp.concatenate([factor, seen.jacobian.reshape(len(u), -1).T])
        at = (0, number * BLOCK)
        return (
            jax.lax.dynamic_update_slice(residuals, seen.residuals, at),
            jax.lax.dynamic_update_slice(curve, seen.curve, at),
            jnp.linalg.qr(rows, mode="r"),
        )

    none = jnp.zeros_like(piece.y)
    first = none, none, jnp.zeros((len(u), len(u)))
    residuals, curve, factor = jax.lax.fori_loop(0, _blocks(piece), add, first)
    return Seen(residuals, factor, curve)


def _blocks(piece: Data) -> Any:
    return (piece.mask + BLOCK - 1) // BLOCK


def _block(piece: Data, number: Any) -> Data:
    """Return a block with its mask."""
    first = number * BLOCK

    def cut(values: Any) -> Any:
        return jax.lax.dynamic_slice_in_dim(values, first, BLOCK, axis=-1)

    sigma = piece.sigma if piece.sigma.shape[-1] == 1 else cut(piece.sigma)
    mask = (first + jnp.arange(BLOCK) < piece.mask).astype(jnp.float64)
    return piece._replace(x=cut(piece.x), y=cut(piece.y), sigma=sigma, mask=mask)
