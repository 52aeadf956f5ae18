"""Writing the record while jobs run: one thread, a bounded buffer, and clearing up."""
