"""Database, blobs, callers, problems, clock, logging."""
