"""The table of jobs with its actions, the panel that starts a run, and the state of the machine.

The table works alone on a pool or an engine; what is done with a job is `JobControl`'s.
"""
