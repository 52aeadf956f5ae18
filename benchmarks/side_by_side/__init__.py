"""What the studies share: the command, tables, machine, processes, cases and both job systems."""
