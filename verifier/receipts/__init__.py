"""Verification receipts: a verdict that a bank or a court can keep, signed by the verifier."""
