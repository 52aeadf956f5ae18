"""A sampling that starts from a fit: two jobs, of which the second waits for the first.

Run it with `python fit_then_sample.py`. Both are submitted at once. `ResultOf` stands for the fit
that does not exist yet: the sampling starts from its parameters and keeps its bounds.
"""

from rheojobs import PRELOAD, FitTask, JobEngine, ResultOf, SampleTask, read
from rheojobs.inference.data import example_melt

MODEL, CONFIG = "generalized_maxwell", {"n_modes": 6}


def main() -> None:
    data = read(example_melt.csv_path())
    with JobEngine(max_workers=1, preload=PRELOAD) as engine:
        fit = engine.submit(FitTask(MODEL, data, options={"model_config": CONFIG}))
        sampling = engine.submit(SampleTask(MODEL, data, fit=ResultOf(fit), model_config=CONFIG))
        print(f"{fit.name}: {fit.state}, {sampling.name}: {sampling.state}")
        posterior = sampling.result()  # the error of the fit if that failed
        for name, estimate in fit.result().parameters.items():
            low, high = posterior.credible_intervals[name]
            print(f"{name}: fit {estimate:.4g}, posterior {low:.4g} to {high:.4g} (95 %)")


if __name__ == "__main__":  # worker processes import this file
    main()
