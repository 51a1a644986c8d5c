"""Golden files: what the pinned typst and our writers make of fixed input."""
