"""Store the results of a batch on disk: of each step its result, and a fingerprint of its input.

A step is done when its record has the current fingerprint; its result is written before its
record, and both under temporary names until they are complete. JSON and NetCDF only.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from rheojobs.errors import InputError
from rheojobs.inference.batch.own_models import folder_of
from rheojobs.inference.batch.plan import BatchItem
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.results.json_format import to_json
from rheojobs.whole_files import write_whole

__all__ = ["ItemStore", "fit_fingerprint", "sample_fingerprint"]

logger = logging.getLogger(__name__)

FORMAT = 3
"""Increased when older results differ from what the current version would compute."""


def fit_fingerprint(item: BatchItem, file_digest: str) -> str:
    """Return the SHA-256 of all that a fit depends on: the file's bytes, the model, the options.

    Parameters
    ----------
    item : BatchItem
        The item to be fitted.
    file_digest : str
        The SHA-256 of its file.
    """
    return _digest(
        {
            "format": FORMAT,
            "file": file_digest,
            "model": item.model,
            "config": item.config,
            "data": item.data,
            "fit": item.fit,
        }
    )


def sample_fingerprint(item: BatchItem, fit: str) -> str:
    """Return the fingerprint of a sampling, which depends on that of its fit too."""
    return _digest({"fit": fit, "sample": item.sample})


def _digest(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


class ItemStore:
    """The folder of one model on one file.

    Parameters
    ----------
    out : Path
        The folder of the batch.
    item : BatchItem
        The item that the results belong to.
    """

    def __init__(self, out: Path, item: BatchItem) -> None:
        name = Path(item.name)
        if name.is_absolute():  # a file elsewhere: there may be others of the same name
            digest = hashlib.sha256(item.name.encode()).hexdigest()[:8]
            name = Path(f"{name.name}-{digest}")
        self.folder = out / "items" / name / folder_of(item.model, item.label)

    @property
    def fit_path(self) -> Path:
        """The path of the fit."""
        return self.folder / "fit.json"

    @property
    def posterior_path(self) -> Path:
        """The path of the draws."""
        return self.folder / "posterior.nc"

    @property
    def summary_path(self) -> Path:
        """The path of the posterior's summary: all but the draws."""
        return self.folder / "posterior.json"

    def checkpoint(self, fingerprint: str) -> Path:
        """Return the folder of a sampling's checkpoint, used until its posterior is stored."""
        return self.folder / f"sampling-{fingerprint[:12]}"

    def fit(self, fingerprint: str) -> FitResult | None:
        """Return the fit if it is done."""
        if not self._is_done("fit", fingerprint):
            return None
        try:
            return FitResult.load(self.fit_path)
        except InputError as error:
            logger.info("a fit is not readable and is repeated: %s", error)
            return None

    def posterior(self, fingerprint: str) -> dict[str, Any] | None:
        """Return the summary of the posterior if it is done."""
        if not self._is_done("sample", fingerprint) or not self.posterior_path.is_file():
            return None
        summary = _read_json(self.summary_path)
        return summary if isinstance(summary.get("summary"), dict) else None

    def drop(self, step: str) -> None:
        """Remove a step's result from other data or options, and the results based on it."""
        stale = [self.posterior_path, self.summary_path, self._record("sample")]
        if step == "fit":
            stale += [self.fit_path, self._record("fit")]
        for path in stale:
            path.unlink(missing_ok=True)

    def keep_fit(self, fingerprint: str, fit: FitResult, seconds: float) -> None:
        """Store a fit, and record that it is done."""
        write_whole(self.fit_path, lambda path: fit.save(path))
        self.note("fit", fingerprint, "succeeded", seconds=seconds)

    def keep_posterior(
        self, fingerprint: str, result: BayesianResult, seconds: float
    ) -> dict[str, Any]:
        """Store draws and summary, and record that they are done; return the summary."""
        write_whole(self.posterior_path, lambda path: result.save_netcdf(path))
        summary = to_json(_WithoutDraws(result))
        write_whole(self.summary_path, lambda path: path.write_text(summary + "\n", "utf-8"))
        self.note("sample", fingerprint, "succeeded", seconds=seconds)
        # Only now: if killed earlier, the sampling resumes from its checkpoint at the very end.
        # This also removes unfinished ones of other options.
        for folder in self.folder.glob("sampling-*"):
            shutil.rmtree(folder, ignore_errors=True)
        return cast(dict[str, Any], json.loads(summary))

    def note(
        self, step: str, fingerprint: str, state: str, message: str = "", seconds: float = 0.0
    ) -> None:
        """Write the record of a step."""
        record = {
            "format": FORMAT,
            "fingerprint": fingerprint,
            "state": state,
            "message": message,
            "seconds": round(seconds, 3),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
        write_whole(self._record(step), lambda path: path.write_text(text, "utf-8"))

    def _record(self, step: str) -> Path:
        return self.folder / f"{step}.step.json"

    def _is_done(self, step: str, fingerprint: str) -> bool:
        record = _read_json(self._record(step))
        return record.get("state") == "succeeded" and record.get("fingerprint") == fingerprint


class _WithoutDraws:
    """What is stored of a posterior besides its draws."""

    def __init__(self, result: BayesianResult) -> None:
        self._result = result

    def as_dict(self) -> dict[str, Any]:
        fields = self._result.as_dict()
        del fields["posterior_samples"]
        return fields


def _read_json(path: Path) -> dict[str, Any]:
    """Read an object; empty if it is missing or damaged, so that the step is repeated."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
