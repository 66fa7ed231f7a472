"""Store: what is kept on disk and in the database, so that a crash loses nothing that was acknowledged."""
