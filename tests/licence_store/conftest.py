"""The licence library's tests use the shared ``database`` fixture, with these tables in it."""

import licence_store.tables  # noqa: F401 - declares the tables
