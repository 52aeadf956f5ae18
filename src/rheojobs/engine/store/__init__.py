"""The durable record of jobs on disk: the state of each, and which application works on it."""

from __future__ import annotations

from rheojobs.engine.store.job_store import JobStore
from rheojobs.engine.store.payloads import Prepared
from rheojobs.engine.store.reader import StoreReader, default_path
from rheojobs.engine.store.stored_job import StoredJob

__all__ = ["JobStore", "Prepared", "StoreReader", "StoredJob", "default_path"]
