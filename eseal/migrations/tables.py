"""Every table of the service, from all packages, declared by importing them."""

import licence_store.tables  # noqa: F401
import seal_service.plumbing.tables  # noqa: F401
import seal_service.seals.tables  # noqa: F401
import seal_service.translog.tables  # noqa: F401
