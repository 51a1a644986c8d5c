"""OFD packages (GB/T 33190-2016)."""
