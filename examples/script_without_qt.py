"""A sampling in a script, with its progress in the terminal; Ctrl-C keeps what was drawn.

Run it with `python script_without_qt.py`, and press Ctrl-C whenever you like. The sampling runs
in a worker process, so this one is free to show the progress and to react.
"""

import sys

from rheojobs import PRELOAD, CancellationError, JobEngine, JobEvent, ProgressMade, SampleTask, read
from rheojobs.inference.data import example_melt


def show(event: JobEvent) -> None:
    if isinstance(event, ProgressMade):
        now = event.progress
        share = f"{100 * now.current / now.total:.0f} %" if now.total else ""
        print(f"\r\x1b[K{now.message} {share}", end="", file=sys.stderr, flush=True)


def main() -> None:
    data = read(example_melt.csv_path())
    task = SampleTask("generalized_maxwell", data, model_config={"n_modes": 6}, num_samples=50_000)
    with JobEngine(max_workers=1, preload=PRELOAD) as engine:
        job = engine.submit(task)
        engine.subscribe(show, job=job)
        try:
            posterior = job.result()
        except KeyboardInterrupt:
            job.cancel()  # returns at once; the worker hands over what it has
            try:
                posterior, _ = job.result_or_partial()
            except CancellationError:
                sys.exit("\nstopped before there were enough draws")
    print(f"\n{posterior.num_samples} draws of each of {posterior.num_chains} chains")
    for name, row in posterior.summary.items():
        print(f"{name}: {row['mean']:.4g} ± {row['std']:.2g}")
    if posterior.is_partial:
        print(f"stopped; rheojobs.resume({posterior.checkpoint!r}) continues")


if __name__ == "__main__":  # worker processes import this file
    main()
