"""The public log of seal uses."""
