"""Reports of a running task: their numbers, and how many of them are passed on."""
