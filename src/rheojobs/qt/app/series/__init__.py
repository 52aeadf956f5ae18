"""Many files in the window: reads, fits and exports them, and shows each in the other pages."""
