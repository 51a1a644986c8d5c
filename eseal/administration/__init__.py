"""What keeps the service itself: its callers, certificates and keys, changed by two people."""
