"""Tests of sealing documents over the API."""
