"""Every table of the service, from all packages, declared by importing them."""

import licence_store.tables
import seal_service.seals.tables  # noqa: F401
