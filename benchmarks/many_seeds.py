"""How often a sampling goes wrong: the same one with many seeds, on both datasets of its case.

``python benchmarks/many_seeds.py fractional_maxwell_liquid --seeds 20``
"""

from __future__ import annotations

import argparse
import statistics

from sampling_study.cases import MODELS, sampling_case

from rheojobs import sample
from rheojobs.inference.results import BayesianResult


def least_ess(result: BayesianResult) -> float:
    """Give the smallest bulk or tail ESS of all that was sampled."""
    return min(min(row["ess_bulk"], row["ess_tail"]) for row in result.summary.values())


def main() -> None:
    """Sample, and print a line for each seed and one for all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("--seeds", type=int, default=20)
    given = parser.parse_args()
    case = sampling_case(given.model).case
    found = []
    for number, data in enumerate((case.data, case.others[0])):
        for seed in range(given.seeds):
            result = sample(
                data,
                case.model,
                model_config=case.config,
                priors=case.priors,
                default_priors="rheojax",
                likelihood="constant",
                num_warmup=500,
                num_samples=1000,
                seed=seed,
                checkpoint="",
            )
            told = result.diagnostics
            worst = max(told["r_hat"].values())
            found.append((least_ess(result), worst, told["divergences"], told["leapfrogs"]))
            print(
                f"data {number + 1}, seed {seed}: least ESS {found[-1][0]:.0f}, largest R-hat "
                f"{worst:.3f}, {told['divergences']} divergences",
                flush=True,
            )
    ess, r_hat, divergences, leapfrogs = zip(*found, strict=True)
    five = ", ".join(f"{value:.0f}" for value in sorted(ess)[:5])
    print(
        f"{len(found)} samplings: the five of the least ESS {five}, in the middle "
        f"{statistics.median(ess):.0f}; "
        f"largest R-hat {max(r_hat):.3f}; divergences in the middle "
        f"{statistics.median(divergences):g}, at most {max(divergences)}; "
        f"{statistics.fmean(leapfrogs):.0f} leapfrogs"
    )


if __name__ == "__main__":
    main()
