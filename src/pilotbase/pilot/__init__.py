"""What is written of a pilot: frozen nouns and pure judgement. No files, no clock, no storage, no candidate code."""
