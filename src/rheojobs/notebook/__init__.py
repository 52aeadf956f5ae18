"""Live progress of fits, samplings and jobs in a notebook; a line in a script or a terminal.

- `fit` and `sample` run here, like those of `rheojobs`; interrupting the kernel stops them and
  returns the result so far.
- `watch` shows a job of an engine; interrupting the kernel leaves the job alone.
- `progress` makes a callback for functions that take one.
"""

from rheojobs.notebook.running import fit, progress, sample
from rheojobs.notebook.watching import watch

__all__ = ["fit", "progress", "sample", "watch"]
