"""The jobs of an engine: their register, their start, their messages and their end.

The engine uses `Dispatcher`, `JobRegistry`, `JobQueries` and `recovery`; users see `Job` and
`ResultOf`.
"""
