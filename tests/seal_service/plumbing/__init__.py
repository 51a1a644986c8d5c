"""Tests of seal_service.plumbing."""
