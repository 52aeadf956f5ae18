"""`ModelListLoader`: fills the model picker, from the cache or by a job that lists the models."""

from __future__ import annotations

from qtpy.QtCore import QObject

from rheojobs.inference.models.catalogue import cached_catalogue, catalogue
from rheojobs.qt.widgets.model.model_picker import ModelPicker
from rheojobs.qt.worker_pool import WorkerPool

__all__ = ["ModelListLoader"]


class ModelListLoader(QObject):
    """Loads the models of RheoJAX into a picker.

    Parameters
    ----------
    pool : WorkerPool
        Runs the job if no list is cached.
    picker : ModelPicker
        Gets the models, or shows why there are none.
    parent : QObject, optional
        The Qt parent.
    """

    def __init__(
        self, pool: WorkerPool, picker: ModelPicker, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._pool, self._picker = pool, picker
        self._job = ""
        pool.job_completed.connect(self._on_models)
        pool.job_failed.connect(self._on_failed)

    def load(self) -> None:
        """Fill the picker now, or when the job has ended."""
        models = cached_catalogue()
        if models is not None:
            self._picker.set_models(models)
        else:
            self._job = self._pool.run(catalogue)

    def _on_models(self, job_id: str, models: object) -> None:
        if job_id == self._job and isinstance(models, tuple):
            self._picker.set_models(models)

    def _on_failed(self, job_id: str, message: str) -> None:
        if job_id == self._job:
            self._picker.message.say("error", message)
