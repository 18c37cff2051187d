"""Alembic's scripts, run by ``storage.database`` if a database is older than this version of facesecure."""
