"""Applications: the contracts, the host's side of the candidate protocol, and the shims that run inside the cell."""
