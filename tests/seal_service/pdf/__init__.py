"""Tests of the PDF format."""
