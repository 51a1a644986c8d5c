"""Every table of the service, from all packages."""

from licence_store import tables as licence_tables
from seal_service.plumbing import tables as caller_tables
from seal_service.seals import picture_tables as seal_picture_tables
from seal_service.seals import tables as seal_tables
from seal_service.translog import tables as log_tables

MODULES = (caller_tables, seal_tables, seal_picture_tables, log_tables, licence_tables)
"""Importing them declares the tables."""
