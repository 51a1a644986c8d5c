"""PDF files and their signatures."""
