"""Sectors: scenario packs as folders of text and a loader; read by path, imported by nobody."""
