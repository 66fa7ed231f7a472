"""The supports of a pilot base, one room each; none imports another."""
