"""The table of jobs with its actions, the panel that starts a run, and the state of the machine.

The table works alone with a pool or an engine; `JobControl` carries out its actions.
"""
