"""Data: the canonical table, its splits, the custody of hidden rows, the exported sample, and quality."""
