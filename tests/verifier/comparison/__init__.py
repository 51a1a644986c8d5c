"""Comparing files."""
