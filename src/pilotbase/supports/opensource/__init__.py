"""Open source: what a candidate is made of. Package, lock, licence, bill of materials, scan. Read, never run."""
