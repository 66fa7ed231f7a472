"""A dossier's documents in, pages and pictures out. Pure: no files, no clock; what is not in the documents is not said."""
