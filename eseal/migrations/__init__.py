"""The steps by which the database comes to its present shape."""
