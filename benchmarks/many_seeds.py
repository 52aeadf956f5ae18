"""How often a sampling goes wrong: the same one with many seeds, on both datasets of its case.

By turns in coordinates that follow curved ridges, as all samplings are, and in straight ones.

``python benchmarks/many_seeds.py fractional_maxwell_liquid --seeds 20``
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from rich.console import Console
from side_by_side.cases import MODELS
from side_by_side.cases import case as case_of
from side_by_side.table import Table

from rheojobs import BayesianResult, sample
from rheojobs.inference.sampling import whitening
from rheojobs.inference.sampling.warmup.curved_whitening import Bend

RESULTS = Path(__file__).parent / "results" / "many_seeds.json"


def straight(center: Any, curvature: Any, *_: object) -> tuple[Any, Bend]:
    """Give coordinates in which a posterior is round as far as it is Gaussian."""
    return np.linalg.inv(np.linalg.cholesky(curvature)).T, Bend.none(center.size)


SIDES: dict[str, Callable[..., Any]] = {"straight": straight, "bent": whitening.bent}


def told(result: BayesianResult) -> dict[str, float]:
    """Give what tells how good a sampling is."""
    rows = result.summary.values()
    return {
        "ess": min(min(row["ess_bulk"], row["ess_tail"]) for row in rows),
        "r_hat": max(row["r_hat"] for row in rows),
        "divergences": result.diagnostics["divergences"],
        "leapfrogs": result.diagnostics["leapfrogs"],
    }


def main() -> None:
    """Sample, print a table and write what it was made of."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("--seeds", type=int, default=20)
    given = parser.parse_args()
    case = case_of(given.model)
    settings = {
        "model_config": case.config,
        "priors": case.priors,
        "default_priors": "rheojax",
        "likelihood": "constant",
        "num_warmup": 500,
        "num_samples": 1000,
        "checkpoint": "",
    }
    found: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    for data in (case.data, case.others[0]):
        for seed in range(given.seeds):
            for side, bent in SIDES.items():
                with mock.patch.object(whitening, "bent", bent):
                    found[side].append(told(sample(data, case.model, seed=seed, **settings)))
    title = f"{given.model}, {2 * given.seeds} samplings of 4 × (500 + 1000)"
    columns = ["least ESS: five worst", "median", "largest R-hat", "divergences", "leapfrogs"]
    table = Table(title, ["coordinates", *columns])
    for side, rows in found.items():
        ess, r_hat, divergences, leapfrogs = ([row[key] for row in rows] for key in rows[0])
        table.add(
            side,
            ", ".join(f"{value:.0f}" for value in sorted(ess)[:5]),
            f"{statistics.median(ess):.0f}",
            f"{max(r_hat):.3f}",
            f"{statistics.median(divergences):g}, at most {max(divergences)}",
            f"{statistics.fmean(leapfrogs):.0f}",
        )
    table.print(Console())
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"model": given.model, "seeds": given.seeds, **found}))


if __name__ == "__main__":
    main()
