"""Whose key it is, which algorithm, and whether the certificate is good."""
