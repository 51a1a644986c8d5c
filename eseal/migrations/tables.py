"""Every table of the service, from all packages."""

from licence_store import tables as licence_tables
from seal_service.plumbing import tables as caller_tables
from seal_service.seals import tables as seal_tables
from seal_service.translog import tables as log_tables

MODULES = (caller_tables, seal_tables, log_tables, licence_tables)
"""Importing them declares the tables."""
