"""The ground floor: words, errors, bytes and time that every room stands on. Standard library only."""
