"""A new application: imports this project, makes an engine, submits one sampling, waits.

Without a window; an engine is what a window's `WorkerPool` has inside.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from side_by_side.child import Mouth, save_draws, serve

from rheojobs import PRELOAD, JobEngine, SampleTask
from sampling_study.as_ours import arguments


def _run(job: Mapping[str, Any], mouth: Mouth) -> None:
    with JobEngine("processes", preload=PRELOAD) as engine:
        task = SampleTask(**arguments(job))
        mouth.say("submitted")
        result = engine.submit(task).result()
        mouth.say("done")
    shape = (result.num_chains, result.num_samples)
    draws = {name: values.reshape(shape) for name, values in result.posterior_samples.items()}
    save_draws(job["out"], draws)
    mouth.say("result", divergences=int(result.diagnostics["divergences"]))


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    serve(_run)
