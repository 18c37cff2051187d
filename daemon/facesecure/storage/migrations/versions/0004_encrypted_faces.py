"""Faces, embeddings and templates are encrypted; the database knows by which key, and not the key."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0004"
down_revision = "0003"

_SEALED: dict[str, tuple[str, Callable[[Any], str]]] = {
    "faces": ("person_id", lambda row: f"person {row.person_id}"),
    "templates": ("person_id", lambda row: f"person {row.person_id}"),
    "seen_faces": ("sighting", lambda row: f"sighting {row.sighting}"),
    "marked_faces": (
        "visitor_id, not_person_id",
        lambda row: f"visitor {row.visitor_id}, not {row.not_person_id or 'anybody'}",
    ),
}


def upgrade() -> None:
    keys = op.create_table(
        "keys",
        sa.Column("identifier", sa.String(16), primary_key=True),
        sa.Column("since", sa.DateTime, nullable=False),
    )
    vault = context.config.attributes["first_vault"]()
    op.bulk_insert(keys, [{"identifier": vault.identifier, "since": datetime.now(UTC).replace(tzinfo=None)}])
    for table, (columns, owner) in _SEALED.items():
        for column in ("embedding",) if table == "templates" else ("embedding", "crop_png"):
            _seal(vault, table, column, columns, owner)


def _seal(vault: Any, table: str, column: str, owner_columns: str, owner: Callable[[Any], str]) -> None:
    """One value at a time: a picture of everybody at once would not fit a small machine."""
    connection = op.get_bind()
    numbers = connection.execute(sa.text(f"SELECT id FROM {table}")).scalars().all()
    for number in numbers:
        query = sa.text(f"SELECT {column} AS plain, {owner_columns} FROM {table} WHERE id = :id")
        row = connection.execute(query, {"id": number}).one()
        sealed = vault.encrypt(row.plain, f"{table}.{column}", owner(row))
        update = sa.text(f"UPDATE {table} SET {column} = :sealed WHERE id = :id")
        connection.execute(update, {"sealed": sealed, "id": number})
