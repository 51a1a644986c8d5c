"""Tests of seal_service.formats.ofd."""
