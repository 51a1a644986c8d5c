"""What alembic runs: the migrations, on the connection and in the transaction it is handed."""

from alembic import context

import eseal.migrations.tables  # noqa: F401 - declares the tables
from seal_service.plumbing.database import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
)
context.run_migrations()
