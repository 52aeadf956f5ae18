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
    "rheojobs.inference.data.dataset": ("Dataset",),
    "rheojobs.inference.data.reading.read": ("read",),
    "rheojobs.inference.models.model": ("Model",),
    "rheojobs.inference.models.parameters": ("Parameter",),
    "rheojobs.inference.models.catalogue": ("ModelInfo", "catalogue"),
    "rheojobs.inference.comparison.run": ("ComparisonRun", "compare"),
    "rheojobs.inference.comparison.ranking": ("ComparedModel", "Comparison"),
    "rheojobs.inference.readiness.warm_up": ("PRELOAD",),
    "rheojobs.inference.fits.many.results": ("FitResults",),
    "rheojobs.inference.fits.many.task": ("FitManyTask", "fit_many"),
    "rheojobs.inference.fits.task": ("FitTask", "fit"),
    "rheojobs.inference.sampling.sample": ("extend", "resume", "sample"),
    "rheojobs.inference.sampling.task": ("SampleTask",),
    "rheojobs.inference.readiness.prewarm": ("PrewarmTask",),
    "rheojobs.inference.sampling.prior_predictive": ("prior_concerns", "prior_predictive"),
    "rheojobs.inference.results.bayesian_result": ("BayesianResult",),
    "rheojobs.inference.results.fit_result": ("FitResult",),
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
    "FitManyTask",
    "FitResult",
    "FitResults",
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
    "fit_many",
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
    from rheojobs.inference.comparison.ranking import ComparedModel, Comparison
    from rheojobs.inference.comparison.run import ComparisonRun, compare
    from rheojobs.inference.data.dataset import Dataset
    from rheojobs.inference.data.reading.read import read
    from rheojobs.inference.fits.many.results import FitResults
    from rheojobs.inference.fits.many.task import FitManyTask, fit_many
    from rheojobs.inference.fits.task import FitTask, fit
    from rheojobs.inference.models.catalogue import ModelInfo, catalogue
    from rheojobs.inference.models.model import Model
    from rheojobs.inference.models.parameters import Parameter
    from rheojobs.inference.readiness.prewarm import PrewarmTask
    from rheojobs.inference.readiness.warm_up import PRELOAD
    from rheojobs.inference.results.bayesian_result import BayesianResult
    from rheojobs.inference.results.fit_result import FitResult
    from rheojobs.inference.sampling.prior_predictive import prior_concerns, prior_predictive
    from rheojobs.inference.sampling.sample import extend, resume, sample
    from rheojobs.inference.sampling.task import SampleTask
    from rheojobs.qt.bayesian_worker import BayesianWorker, BayesianWorkerSignals
    from rheojobs.qt.fit_worker import FitWorker, FitWorkerSignals
    from rheojobs.qt.worker_pool import WorkerPool


__getattr__ = importer(__name__, _HOME_OF)


def __dir__() -> list[str]:
    return __all__
