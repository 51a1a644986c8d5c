"""Compare a received file with what it claims to be, and show or answer the differences."""
