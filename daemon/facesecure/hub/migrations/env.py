"""Run by Alembic, on a connection whose transaction has begun: all or nothing, on PostgreSQL and on SQLite."""

from alembic import context

from facesecure.hub.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=context.config.attributes["connection"].dialect.name == "sqlite",
)
context.run_migrations()
