"""One module per rule book; one function per clause."""
