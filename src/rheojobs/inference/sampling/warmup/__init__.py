"""What the warm-up of NUTS learns: the step size, and coordinates in which a posterior is round."""
