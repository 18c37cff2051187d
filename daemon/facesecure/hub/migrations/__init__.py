"""Alembic's scripts for the hub's database, run by ``hub.roles``."""
