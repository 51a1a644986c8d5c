"""What a reader remarks without refusing; the shape is shared with ``keys``."""

from keys.notices import Notice

__all__ = ["Notice"]
