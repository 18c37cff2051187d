"""Run by Alembic, on a connection of ``storage.database`` whose transaction has begun: all or nothing."""

from alembic import context

from facesecure.storage.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
    render_as_batch=True,  # SQLite alters a table by copying it
)
context.run_migrations()
