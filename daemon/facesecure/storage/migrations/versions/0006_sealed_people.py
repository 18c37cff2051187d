"""Name people by random identifiers in what is encrypted, bind embeddings to more, seal people, visits and alerts."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0006"
down_revision = "0005"

_Owner = Callable[[Any], str]
_Owners = dict[str, tuple[_Owner, _Owner]]
"""The owner of each column before this revision, and from now on."""
_People = dict[int, tuple[str, str]]
"""Identifier and edition of each person, by the number of the row."""


def upgrade() -> None:
    """Add the columns, then encrypt and seal again in the same transaction, one value at a time."""
    for name, length in (("uid", 32), ("edition", 32), ("seal", 64)):
        op.add_column("people", sa.Column(name, sa.String(length), nullable=False, server_default=""))
    op.add_column("alerts", sa.Column("seal", sa.String(64), nullable=False, server_default=""))
    op.add_column("sightings", sa.Column("visitor_seal", sa.String(64)))
    connection = op.get_bind()
    identifier = connection.execute(sa.text("SELECT identifier FROM keys")).scalar_one()
    cipher = context.config.attributes["cipher_of"](identifier)
    people = _people(connection, cipher)
    _visits(connection, cipher)
    _alerts(connection, cipher)
    for table, columns, owners in _tables(people):
        _encrypt_again(connection, cipher, table, columns, owners)


def _tables(people: _People) -> list[tuple[str, str, _Owners]]:
    """Return, for each table, the columns that name an owner, and for each value the owner before and from now on."""

    def face(row: Any) -> str:
        return f"person {people[row.person_id][0]}"

    def template(row: Any) -> str:
        edition = people[row.person_id][1]
        return f"{face(row)}, edition {edition}, model {row.model_sha256}, of {row.faces} faces"

    def mark(row: Any) -> str:
        who = people[row.not_person_id][0] if row.not_person_id else "anybody"
        return f"visitor {row.visitor_id}, not {who}, {row.sighting} at {_utc(row.marked_at)}, {_model(row)}"

    of_face: _Owners = {"embedding": (_person, lambda row: f"{face(row)}, {_model(row)}"), "crop_png": (_person, face)}
    of_seen: _Owners = {"embedding": (_sighting, lambda row: f"{_sighting(row)}, {_model(row)}")}
    marked = "visitor_id, not_person_id, sighting, marked_at, model_sha256"
    return [
        ("faces", "person_id, model_sha256", of_face),
        ("templates", "person_id, model_sha256, faces", {"embedding": (_person, template)}),
        ("seen_faces", "sighting, model_sha256", of_seen),
        ("marked_faces", marked, {"embedding": (_mark, mark), "crop_png": (_mark, mark)}),
    ]


def _people(connection: sa.Connection, cipher: Any) -> _People:
    """Give each person an identifier, an edition and a seal; return identifier and edition by row number."""
    given: _People = {}
    for row in connection.execute(sa.text("SELECT id, name, name_key, created_at FROM people")).all():
        uid, edition = secrets.token_hex(16), secrets.token_hex(16)
        seal = _seal(cipher, "person", uid, row.name, row.name_key, _utc(row.created_at), edition)
        update = sa.text("UPDATE people SET uid = :uid, edition = :edition, seal = :seal WHERE id = :id")
        connection.execute(update, {"uid": uid, "edition": edition, "seal": seal, "id": row.id})
        given[row.id] = uid, edition
    return given


def _visits(connection: sa.Connection, cipher: Any) -> None:
    query = sa.text("SELECT identifier, visitor_id FROM sightings WHERE visitor_id IS NOT NULL")
    update = sa.text("UPDATE sightings SET visitor_seal = :seal WHERE identifier = :identifier")
    for row in connection.execute(query).all():
        seal = _seal(cipher, "visit", row.identifier, str(row.visitor_id))
        connection.execute(update, {"seal": seal, "identifier": row.identifier})


def _alerts(connection: sa.Connection, cipher: Any) -> None:
    update = sa.text("UPDATE alerts SET seal = :seal WHERE identifier = :identifier")
    for row in connection.execute(sa.text("SELECT identifier, document FROM alerts")).all():
        seal = _seal(cipher, "alert", row.identifier, json.dumps(json.loads(row.document), sort_keys=True))
        connection.execute(update, {"seal": seal, "identifier": row.identifier})


def _encrypt_again(connection: sa.Connection, cipher: Any, table: str, owned_by: str, columns: _Owners) -> None:
    """Encrypt ``columns`` for their new owners; a value that cannot be decrypted stays as it is."""
    for number in connection.execute(sa.text(f"SELECT id FROM {table} ORDER BY id")).scalars().all():
        for column, (old, new) in columns.items():
            query = sa.text(f"SELECT {column} AS value, {owned_by} FROM {table} WHERE id = :id")
            row = connection.execute(query, {"id": number}).one()
            try:
                plain = cipher.decrypt(row.value, f"{table}.{column}", old(row))
                encrypted = cipher.encrypt(plain, f"{table}.{column}", new(row))
            except (ValueError, TypeError, KeyError):  # damaged, or the person is gone
                continue
            update = sa.text(f"UPDATE {table} SET {column} = :encrypted WHERE id = :id")
            connection.execute(update, {"encrypted": encrypted, "id": number})


def _person(row: Any) -> str:
    return f"person {row.person_id}"


def _sighting(row: Any) -> str:
    return f"sighting {row.sighting}"


def _model(row: Any) -> str:
    return f"model {row.model_sha256}"


def _mark(row: Any) -> str:
    return f"visitor {row.visitor_id}, not {row.not_person_id or 'anybody'}"


def _seal(cipher: Any, *values: str) -> str:
    return hmac.digest(cipher.key.derived("sealed rows"), json.dumps(values).encode(), hashlib.sha256).hex()


def _utc(stored: str) -> str:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC).isoformat()
