"""Alembic's scripts, run by ``store.database`` when a database is older than this version of facesecure."""
