"""Evidence: who signed which bytes, and proofs that a log only grew. Knows signatures and digests, and no pilot."""
