"""A workspace: data, how they were read, fits, samplings, edits and notes, in one file.

`content` holds it, `file_format` writes and reads it, `repetition` runs its fits and samplings
again, and `script` writes them as Python. None of these loads JAX.

Other rooms use:

- `content`: `Workspace`, `WorkspaceData`, `WorkspaceRun`, `WorkspaceEdits`
- `file_format`: `SUFFIX`, `read_workspace`, `write_workspace`
- `repetition`: `Repetition`, `compared`, `given_in`, `task_of`
- `source_files`: `changed_files`, `with_digests`
- `script`: `script`, `unreadable`
"""
