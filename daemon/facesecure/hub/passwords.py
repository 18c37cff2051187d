"""Passwords of roles: the server gets a verifier to check one by, never the password itself."""

from __future__ import annotations

import secrets

import psycopg
from sqlalchemy import Connection


def new_password() -> str:
    """Return a random password of 256 bits, in letters, digits, - and _."""
    return secrets.token_urlsafe(32)


def scram_verifier(connection: Connection, role: str, password: str) -> str:
    """Return what the server needs to check ``password`` of ``role`` (SCRAM-SHA-256)."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise ValueError("only PostgreSQL has roles")
    return driver.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
