"""Judges whether a file, a seal or a licence is good now."""
