"""Database migrations of all packages."""
