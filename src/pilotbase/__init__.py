"""pilotbase."""
