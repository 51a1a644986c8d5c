"""Sealing of any document over the API: wire types, routes, and the desk that remembers answers."""
