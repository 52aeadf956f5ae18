"""The parts of the study of GPUs: each compares the devices, of which each has its own process."""
