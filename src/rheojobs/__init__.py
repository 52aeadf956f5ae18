"""Background jobs for scientific desktop applications: JAX fits and Bayesian sampling.

Names are imported when they are first used: `import rheojobs` loads neither JAX nor Qt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rheojobs.lazy import importer

_HOMES = {
    "rheojobs.errors": ("InputError", "MissingExtraError", "RheojobsError"),
    "rheojobs.engine": (
        "CancellationError",
        "CancellationToken",
        "EngineClosedError",
        "Executor",
        "FunctionTask",
        "Job",
        "JobEngine",
        "JobEvent",
        "JobState",
        "JobStore",
        "JobTimeoutError",
        "MemoryLimitError",
        "PartialResult",
        "PriorityChanged",
        "ProcessExecutor",
        "Progress",
        "ProgressMade",
        "ResultOf",
        "RetryPolicy",
        "RetryPolicy",
        "StateChanged",
        "StoreError",
        "StoredJob",
        "Task",
        "TaskContext",
        "ThreadExecutor",
        "WorkerDiedError",
        "WorkerInfo",
        "worker_environment",
    ),
    "rheojobs.engine.executors.dask.executor": ("DaskExecutor",),
    "rheojobs.inference.data": ("Dataset",),
    "rheojobs.inference.reading": ("read",),
    "rheojobs.inference.models": ("Model", "Parameter"),
    "rheojobs.inference.catalogue": ("ModelInfo", "catalogue"),
    "rheojobs.inference.comparing": ("ComparisonRun", "compare"),
    "rheojobs.inference.comparison": ("ComparedModel", "Comparison"),
    "rheojobs.inference.jax_setup": ("PRELOAD",),
    "rheojobs.inference.fitting": ("FitTask", "fit"),
    "rheojobs.inference.sampling": ("SampleTask", "extend", "resume", "sample"),
    "rheojobs.inference.prewarming": ("PrewarmTask",),
    "rheojobs.inference.prior_check": ("prior_concerns", "prior_predictive"),
    "rheojobs.inference.results": ("BayesianResult", "FitResult"),
    "rheojobs.qt.worker_pool": ("WorkerPool",),
    "rheojobs.qt.fit_worker": ("FitWorker", "FitWorkerSignals"),
    "rheojobs.qt.bayesian_worker": ("BayesianWorker", "BayesianWorkerSignals"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__version__ = "0.1.0"
__all__ = [
    "PRELOAD",
    "BayesianResult",
    "BayesianWorker",
    "BayesianWorkerSignals",
    "CancellationError",
    "CancellationToken",
    "ComparedModel",
    "Comparison",
    "ComparisonRun",
    "DaskExecutor",
    "Dataset",
    "EngineClosedError",
    "Executor",
    "FitResult",
    "FitTask",
    "FitWorker",
    "FitWorkerSignals",
    "FunctionTask",
    "InputError",
    "Job",
    "JobEngine",
    "JobEvent",
    "JobState",
    "JobStore",
    "JobTimeoutError",
    "MemoryLimitError",
    "MissingExtraError",
    "Model",
    "ModelInfo",
    "Parameter",
    "PartialResult",
    "PrewarmTask",
    "PriorityChanged",
    "ProcessExecutor",
    "Progress",
    "ProgressMade",
    "ResultOf",
    "RetryPolicy",
    "RheojobsError",
    "SampleTask",
    "StateChanged",
    "StoreError",
    "StoredJob",
    "Task",
    "TaskContext",
    "ThreadExecutor",
    "WorkerDiedError",
    "WorkerInfo",
    "WorkerPool",
    "__version__",
    "catalogue",
    "compare",
    "extend",
    "fit",
    "prior_concerns",
    "prior_predictive",
    "read",
    "resume",
    "sample",
    "worker_environment",
]

if TYPE_CHECKING:
    from rheojobs.engine import (
        CancellationError,
        CancellationToken,
        EngineClosedError,
        Executor,
        FunctionTask,
        Job,
        JobEngine,
        JobEvent,
        JobState,
        JobStore,
        JobTimeoutError,
        MemoryLimitError,
        PartialResult,
        PriorityChanged,
        ProcessExecutor,
        Progress,
        ProgressMade,
        ResultOf,
        RetryPolicy,
        StateChanged,
        StoredJob,
        StoreError,
        Task,
        TaskContext,
        ThreadExecutor,
        WorkerDiedError,
        WorkerInfo,
        worker_environment,
    )
    from rheojobs.engine.executors.dask.executor import DaskExecutor
    from rheojobs.errors import InputError, MissingExtraError, RheojobsError
    from rheojobs.inference.catalogue import ModelInfo, catalogue
    from rheojobs.inference.comparing import ComparisonRun, compare
    from rheojobs.inference.comparison import ComparedModel, Comparison
    from rheojobs.inference.data import Dataset
    from rheojobs.inference.fitting import FitTask, fit
    from rheojobs.inference.jax_setup import PRELOAD
    from rheojobs.inference.models import Model, Parameter
    from rheojobs.inference.prewarming import PrewarmTask
    from rheojobs.inference.prior_check import prior_concerns, prior_predictive
    from rheojobs.inference.reading import read
    from rheojobs.inference.results import BayesianResult, FitResult
    from rheojobs.inference.sampling import SampleTask, extend, resume, sample
    from rheojobs.qt.bayesian_worker import BayesianWorker, BayesianWorkerSignals
    from rheojobs.qt.fit_worker import FitWorker, FitWorkerSignals
    from rheojobs.qt.worker_pool import WorkerPool


__getattr__ = importer(__name__, _HOME_OF)


def __dir__() -> list[str]:
    return __all__
