"""Over HTTP and on the command line: what one person asks for and another decides."""
