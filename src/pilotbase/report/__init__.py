"""A dossier's documents in, pages and pictures out. Pure: what is not in the documents is not said."""
