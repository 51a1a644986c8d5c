"""Tests of the seal-use log."""
