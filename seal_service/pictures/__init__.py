"""Seal pictures at the edge: over HTTP and on the command line."""
