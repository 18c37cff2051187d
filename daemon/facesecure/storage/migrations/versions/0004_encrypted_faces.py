"""Encrypt faces, embeddings and templates; the database stores the identifier of the key, not the key."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0004"
down_revision = "0003"

_ENCRYPTED: dict[str, tuple[str, Callable[[Any], str]]] = {
    "faces": ("person_id", lambda row: f"person {row.person_id}"),
    "templates": ("person_id", lambda row: f"person {row.person_id}"),
    "seen_faces": ("sighting", lambda row: f"sighting {row.sighting}"),
    "marked_faces": (
        "visitor_id, not_person_id",
        lambda row: f"visitor {row.visitor_id}, not {row.not_person_id or 'anybody'}",
    ),
}


def upgrade() -> None:
    """Encrypt every value in one transaction."""
    keys = op.create_table(
        "keys",
        sa.Column("identifier", sa.String(16), primary_key=True),
        sa.Column("since", sa.DateTime, nullable=False),
    )
    cipher = context.config.attributes["first_cipher"]()
    op.bulk_insert(keys, [{"identifier": cipher.identifier, "since": datetime.now(UTC).replace(tzinfo=None)}])
    for table, (columns, owner) in _ENCRYPTED.items():
        for column in ("embedding",) if table == "templates" else ("embedding", "crop_png"):
            _encrypt(cipher, table, column, columns, owner)


def _encrypt(cipher: Any, table: str, column: str, owner_columns: str, owner: Callable[[Any], str]) -> None:
    """Encrypt one value at a time: all images at once would not fit into the memory of a small machine."""
    connection = op.get_bind()
    numbers = connection.execute(sa.text(f"SELECT id FROM {table}")).scalars().all()
    for number in numbers:
        query = sa.text(f"SELECT {column} AS plain, {owner_columns} FROM {table} WHERE id = :id")
        row = connection.execute(query, {"id": number}).one()
        encrypted = cipher.encrypt(row.plain, f"{table}.{column}", owner(row))
        update = sa.text(f"UPDATE {table} SET {column} = :encrypted WHERE id = :id")
        connection.execute(update, {"encrypted": encrypted, "id": number})
