"""The durable record of jobs on disk: what becomes of each, and which application works on it."""

from __future__ import annotations

from rheojobs.engine.store.job_store import JobStore
from rheojobs.engine.store.reader import StoredJob, default_path

__all__ = ["JobStore", "StoredJob", "default_path"]
