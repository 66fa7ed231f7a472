"""The pilot line: what is done with a candidate, in order. Verbs with effects; judgement lies below, in the pilot."""
