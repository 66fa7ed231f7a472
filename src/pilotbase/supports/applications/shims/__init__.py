"""What runs inside the cell. Read as text by ``start.shim``, never imported by the platform."""
