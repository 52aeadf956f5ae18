# type: ignore
# ruff: noqa
from rheojobs.engine.errors import StoreError
from rheojobs.engine.store.job_store import JobStore
from rheojobs.engine.store.reader import StoredJob


class EntryError(StoreError):
    pass


class Prepared:
    def __init__(self, record):
        self.record = record

    def discard(self):
        pass


JobStore.prepare = lambda self, job_id, part, record: Prepared(record)


def _taken(self, job_id):
    rows = self._rows("SELECT state, owner FROM jobs WHERE id = ?", job_id)
    return bool(rows) and rows[0][1] not in (None, self.owner.id)


JobStore.is_taken = _taken


def _w(self):
    self.renew()


JobStore.check_writable = _w
_put, _put_task, _add = JobStore.put, JobStore.put_task, JobStore.add


def put(self, job_id, part, p):
    if part == "checkpoint":
        self._checkpointed.add(job_id)
    return _put(self, job_id, part, p.record if isinstance(p, Prepared) else p)


JobStore.put = put
JobStore.put_task = lambda self, job_id, p: _put_task(
    self, job_id, p.record if isinstance(p, Prepared) else p
)


def add(self, *a, not_before=None, retry=None, **k):
    return _add(self, *a, **k)


JobStore.add = add
StoredJob.retry = None
StoredJob.not_before = None
