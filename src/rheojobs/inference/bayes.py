"""One sampling from start to result: start values, chains, draws, what ArviZ wants of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.cancellation import CancellationError
from rheojobs.engine.task import TaskContext
from rheojobs.errors import InputError
from rheojobs.inference import diagnostics
from rheojobs.inference.chains import Chain, ChainSet
from rheojobs.inference.inference_data import Evaluation, describe_prior, to_inference_data
from rheojobs.inference.nuts import Settings
from rheojobs.inference.objective import Objective
from rheojobs.inference.posterior import Posterior
from rheojobs.inference.problem import Problem
from rheojobs.inference.results import BayesianResult

if TYPE_CHECKING:
    from rheojobs.inference.sampling import SampleTask

__all__ = ["Sampling"]

MAX_TREE_DEPTH = 10
MAX_POINTWISE_VALUES = 2e7
"""Predictions times draws that are kept with the result; beyond it draws are left out."""

SPREADS = (1.0, 0.5, 0.1, 0.0)
"""How far from the start a chain begins, in posterior standard deviations; the first that works."""

EVALUATION_BLOCK = 250
CONSTRAIN_BLOCK = 1000
"""Draws that are taken through a compiled program in one call, whatever their number."""


def _in_blocks(
    function: Callable[[NDArray[np.float64]], tuple[Any, ...]],
    rows: NDArray[np.float64],
    block: int,
) -> list[NDArray[np.float64]]:
    """Apply a compiled program to rows, always as many at a time, so that it compiles once."""
    outputs = []
    for start in range(0, rows.shape[0], block):
        part = rows[start : start + block]
        filled = part if part.shape[0] == block else np.resize(part, (block, part.shape[1]))
        outputs.append([np.asarray(item)[: part.shape[0]] for item in function(filled)])
    return [np.concatenate(columns) for columns in zip(*outputs, strict=True)]


MAX_SUMMARIZED = 2000
"""Draws of each chain that the summary of a cancelled sampling is made of."""


class Sampling:
    """Carries a sampling through its stages."""

    def __init__(self, task: SampleTask, problem: Problem, context: TaskContext) -> None:
        self._task = task
        self._problem = problem
        self._context = context
        self._started = time.perf_counter()
        self._told_stage = ""
        parameters = self._start_values()
        self._posterior = Posterior.of(problem, task.priors or {}, parameters, task.likelihood)
        noise = self._noise_at(parameters)
        values = self._posterior.site_values(parameters, noise)
        self._center = self._posterior.unconstrain(values)

    def run(self) -> BayesianResult:
        """Sample, and give what was drawn; what there is so far if it is cancelled."""
        context, task = self._context, self._task
        context.check()
        context.progress(0, 0, "compiling", stage="compile")
        posterior, kernels = self._posterior, self._posterior.kernels
        geometry = posterior.geometry(self._center)
        self._geometry = geometry
        settings = Settings.of(task.num_warmup, task.target_accept, MAX_TREE_DEPTH)
        total = task.num_warmup + task.num_samples
        chains = [Chain(state, task.num_warmup, total) for state in self._begin(geometry.arrays)]
        self._chains = chains
        data = posterior.data

        def advance(state: Any, steps: int) -> tuple[Any, Any]:
            result = kernels.advance(state, steps, settings, geometry.arrays, *data)
            return jax.block_until_ready(result)  # type: ignore[no-any-return]

        # Compiled before the chains ask for it together, and before a cancel must be quick.
        advance(chains[0].state, 0)
        self._constrain(np.zeros((1, self._center.size)))
        try:
            ChainSet(chains, advance, context.check, self._report).run()
        except CancellationError:
            partial = self._result(is_partial=True)
            if partial is not None:
                context.partial(partial)
            raise
        context.progress(0, 0, "summarizing", stage="summary")
        result = self._result(is_partial=False)
        assert result is not None
        return result

    def _start_values(self) -> dict[str, float]:
        model, given = self._problem.model, self._task.warm_start or {}
        own = model.resolve_values(given)
        missing = [name for name in model.names if name not in own]
        if not missing:
            return own
        return Objective.of(self._problem).estimate(self._problem, own)

    def _noise_at(self, parameters: Mapping[str, float]) -> dict[str, float]:
        """Give the noise scales that suit the residuals at the start."""
        problem = self._problem
        params = np.array([parameters[name] for name in problem.model.names])
        seen = problem.coarse_observations
        predicted = np.asarray(Objective.of(problem).predict(params, seen.x))
        if not np.isfinite(predicted[:, : seen.n]).all():
            start = ", ".join(f"{name} = {value:g}" for name, value in parameters.items())
            raise InputError(
                f"{problem.model.name} gives no finite values at {start}: start elsewhere "
                "(warm_start=)"
            )
        data = seen.y[:, : seen.n]
        return self._posterior.likelihood.start(problem, data, predicted[:, : seen.n])

    def _begin(self, geometry: Any) -> list[Any]:
        kernels, data = self._posterior.kernels, self._posterior.data
        root = jax.random.PRNGKey(self._task.seed)
        states = []
        for chain in range(self._task.num_chains):
            key, spread = jax.random.split(jax.random.fold_in(root, chain))
            direction = jax.random.normal(spread, (self._center.size,))
            proposals = np.multiply.outer(np.array(SPREADS), np.asarray(direction))
            state, good = kernels.begin(proposals, key, geometry, *data)
            if not bool(good):
                raise InputError(
                    f"{self._problem.model.name}: the start has no likelihood: give other start "
                    "values (warm_start=), or wider priors"
                )
            states.append(state)
        return states

    def _report(self) -> None:
        task, chains = self._task, self._chains
        done = [chain.done for chain in chains]
        warming = any(count < task.num_warmup for count in done)
        if warming:
            stage, total = "warmup", task.num_warmup
            in_stage = [min(count, task.num_warmup) for count in done]
        else:
            stage, total = "sampling", task.num_samples
            in_stage = [count - task.num_warmup for count in done]
        divergences = sum(chain.divergences for chain in chains)
        self._context.progress(
            sum(in_stage),
            total * len(chains),
            f"{'warm-up' if warming else 'sampling'}, {divergences} divergences",
            stage=stage,
            chains=done,
            num_warmup=task.num_warmup,
            num_samples=task.num_samples,
            divergences=divergences,
        )

    def _result(self, is_partial: bool) -> BayesianResult | None:
        """Make the result of what was drawn; None where a chain has nothing yet."""
        task, posterior, problem = self._task, self._posterior, self._problem
        count = min(chain.done - chain.warmup for chain in self._chains)
        if count < 1:
            return None

        def column(name: str) -> NDArray[Any]:
            return np.stack([chain.column(name)[:count] for chain in self._chains])

        w = column("z")
        flat = w.reshape(-1, w.shape[-1])
        constrained = self._constrain(flat)
        evaluation = None if is_partial else self._evaluate(constrained, count)
        draws = self._named_draws(constrained, count)
        energy = column("energy")
        stats = {
            "diverging": column("diverging"),
            "energy": energy,
            "acceptance_rate": column("accept"),
            "n_steps": column("leapfrogs"),
            "tree_depth": np.floor(np.log2(np.maximum(column("leapfrogs"), 1))).astype(int) + 1,
            "step_size": column("step_size"),
            "lp": -column("potential"),
        }
        # Whoever cancels waits for this: of very many draws, some tell enough.
        every = math.ceil(count / MAX_SUMMARIZED) if is_partial else 1
        some = {name: values[:, ::every] for name, values in draws.items()}
        summary = diagnostics.summarize(some)
        report: dict[str, Any] = {
            key: {name: row[key] for name, row in summary.items()}
            for key in ("r_hat", "ess_bulk", "ess_tail")
        }
        report |= {
            "divergences": int(stats["diverging"].sum()),
            "bfmi": diagnostics.bfmi(energy),
            "acceptance": float(stats["acceptance_rate"].mean()),
            "leapfrogs": int(stats["n_steps"].sum()),
            "step_size": [float(value) for value in stats["step_size"][:, -1]],
            "likelihood": task.likelihood,
            "priors": {
                name: describe_prior(prior)
                for name, prior in zip(posterior.sites, posterior.priors, strict=True)
            },
        }
        report["warnings"] = diagnostics.concerns(report, count * len(self._chains))
        return BayesianResult(
            model_name=problem.model.name,
            posterior_samples={name: values.reshape(-1) for name, values in draws.items()},
            summary=summary,
            diagnostics=report,
            num_samples=count,
            num_chains=len(self._chains),
            sampling_time=time.perf_counter() - self._started,
            timestamp=datetime.now(UTC),
            credible_intervals=diagnostics.credible_intervals(some),
            num_warmup=task.num_warmup,
            inference_data=to_inference_data(problem, draws, stats, evaluation),
            is_partial=is_partial,
            test_mode=problem.test_mode,
            units=self._units(draws),
            seed=task.seed,
        )

    def _constrain(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map the sampler's coordinates, shape (k, d), to the sites' values."""
        posterior = self._posterior
        (values,) = _in_blocks(
            lambda part: (
                posterior.kernels.constrain(part, self._geometry.arrays, posterior.priors),
            ),
            rows,
            CONSTRAIN_BLOCK,
        )
        return values

    def _named_draws(
        self, constrained: NDArray[np.float64], count: int
    ) -> dict[str, NDArray[np.float64]]:
        """Give draws of the parameters, then of what else was sampled, shape (chains, draws)."""
        sites = {name: constrained[:, column] for column, name in enumerate(self._posterior.sites)}
        for name, other in self._posterior.substituted.items():
            sites[other.replaces] = np.asarray(other.to_parameter(sites[name], sites))
        order = [name for name in self._problem.model.names if name in sites]
        order += [name for name in sites if name not in order]
        shape = (len(self._chains), count)
        return {name: sites[name].reshape(shape) for name in order}

    def _units(self, draws: Mapping[str, Any]) -> dict[str, str]:
        model, data = self._problem.model, self._problem.dataset
        units = {parameter.name: parameter.unit for parameter in model.parameters}
        units |= {other.name: other.unit for other in model.alternatives}
        noise = "" if self._posterior.likelihood.relative else data.y_unit
        return {name: units.get(name, noise) for name in draws}

    def _evaluate(self, constrained: NDArray[np.float64], count: int) -> Evaluation:
        """Evaluate pointwise likelihood and prediction at the draws, or at every k-th of them."""
        seen, observed = self._problem.observations, self._posterior.observed
        components = seen.y.shape[0]
        size = count * len(self._chains) * components * seen.n
        every = max(1, math.ceil(size / MAX_POINTWISE_VALUES))
        picked = np.arange(0, count, every)
        by_chain = constrained.reshape(len(self._chains), count, -1)[:, picked]
        rows = by_chain.reshape(-1, by_chain.shape[-1])

        def evaluate(part: NDArray[np.float64]) -> tuple[Any, ...]:
            self._context.check()
            values = self._posterior.kernels.evaluate(part, *observed)
            return tuple(np.asarray(item)[..., : seen.n] for item in values[:3])

        pointwise, predicted, spread = _in_blocks(evaluate, rows, EVALUATION_BLOCK)
        shape = (len(self._chains), picked.size, components, seen.n)
        generator = np.random.default_rng(self._task.seed)
        scatter = self._posterior.likelihood.scatter(generator, shape)
        return Evaluation(
            picked,
            pointwise.reshape(shape),
            predicted.reshape(shape) + spread.reshape(shape) * scatter,
        )
