"""Hash files in the background: python hash_files.py FILE... (an engine without JAX or Qt)."""

import hashlib
import sys

from rheojobs import JobEngine, JobEvent, ProgressMade, TaskContext


def sha256(context: TaskContext, path: str) -> str:
    digest, done = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            context.check()  # the job pauses and stops here
            digest.update(block)
            context.progress(done := done + len(block), message=path)
    return digest.hexdigest()


def show(event: JobEvent) -> None:
    if isinstance(event, ProgressMade):
        print(f"{event.progress.message}: {event.progress.current:,} B", file=sys.stderr)


if __name__ == "__main__":
    with JobEngine(max_workers=2) as engine:
        engine.subscribe(show)
        for job in [engine.run(sha256, path) for path in sys.argv[1:]]:
            print(job.exception() or job.result(), job.task.args[0])
