"""Tests of seal pictures over HTTP and on the command line."""
