"""People, each sealed under a key of its own that is wrapped for the doors that may know them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, text, update

from facesecure.hub.row_values import without_revision
from facesecure.hub.rows import Person, PersonKey, SharedPerson
from facesecure.hub.store.last_read import LastRead, was_put_back
from facesecure.hub.store.member import BATCH, Batch, Part, insert_into, now_of, unless_unchanged
from facesecure.hub.tables import people, person_keys, removals

_MOST_AT_ONCE = 8 << 20
"""Bytes of documents that are read at a time, unless one alone has more."""


class People(Part):
    """People, each sealed under a key of its own that is wrapped for the doors that may know them."""

    @unless_unchanged("person_keys", only_nothing=True)
    def after(self, cursor: int, limit: int = BATCH) -> Batch[SharedPerson]:
        """Return people whose key this door has and who changed after ``cursor``, oldest change first.

        At most ``limit`` and some megabytes at a time: go on from ``read_to`` until none is left.
        """
        size = func.coalesce(func.length(people.c.document), 0)
        before = func.sum(size).over(order_by=person_keys.c.revision) - size
        first = (
            _joined(person_keys.c.person, before.label("before"))
            .where(person_keys.c.door == self._member.door, person_keys.c.revision > cursor)
            .order_by(person_keys.c.revision)
            .limit(limit)
            .subquery()
        )
        query = self._mine().join(first, first.c.person == people.c.identifier)
        query = query.where(first.c.before < _MOST_AT_ONCE).order_by(person_keys.c.revision)
        return self._batch(query, _shared, cursor, "key_revision")

    def was_put_back(self, last: LastRead, cursor: int, known: Collection[str]) -> bool:
        """Return whether the hub was put back to an older state since ``last`` was read, up to ``cursor``.

        Of whom this door has lost the key, and is told to wipe or does not know any more (``known``), nothing follows.
        """

        def query() -> Select[Any]:
            found = last.query(person_keys.c.person, person_keys.c.revision, people.c.signature, cursor)
            found = found.join_from(person_keys, people, people.c.identifier == person_keys.c.person)
            return found.where(person_keys.c.door == self._member.door)

        return was_put_back(self._database, query, last, cursor, lambda gone: self._wiped(gone, known))

    def _wiped(self, gone: Collection[str], known: Collection[str]) -> set[str]:
        mine = (removals.c.door == self._member.door) & removals.c.person.in_(list(gone))
        with self._database.begin(reading=True) as connection:
            ordered = connection.execute(select(removals.c.person).where(mine)).scalars().all()
        return {one for one in gone if one not in known}.union(ordered)

    def get(self, identifier: str) -> SharedPerson | None:
        """Return a person, None if this door has no key of theirs."""
        return self._first(self._mine().where(people.c.identifier == identifier), _shared)

    def put(self, person: Person, keys: Sequence[PersonKey], after: int) -> int | None:
        """Write a person whose version at the hub is ``after`` (0: new), and the keys given, which may be none.

        Return the revision that the hub has now, which is no cursor: others may have changed people before. None, and
        nothing is written, if the hub has another version. ``person.author`` is this door.
        """
        with self._database.begin() as connection:
            if not (_insert(connection, person) if after == 0 else _replace(connection, person, after)):
                return None
            _put_keys(connection, keys)
        with self._database.begin() as connection:  # it has a revision as soon as it is committed
            query = select(people.c.revision).where(people.c.identifier == person.identifier)
            return int(connection.execute(query).scalar() or 0)

    def share(self, keys: Sequence[PersonKey]) -> None:
        """Let further doors know people whom this door knows. Keys that are there are replaced.

        Doors of its own household; the manager those of any.

        Raises HubConflictError if one was removed, HubRefusedError if this door may not.
        """
        with self._database.begin() as connection:
            _put_keys(connection, keys)

    def doors_of(self, person: str) -> frozenset[str]:
        """Return the doors that have a key of a person whom this door knows."""
        with self._database.begin() as connection:
            query = select(person_keys.c.door).where(person_keys.c.person == person)
            return frozenset(connection.execute(query).scalars())

    def withdraw(self, person: str, doors: Sequence[str], version: int, signature: bytes) -> None:
        """Take a person from some doors: their keys go, and each gets an order to wipe (``Removals``).

        ``signature`` stands in the orders, with ``version``. They may have kept the data key: put the person anew,
        sealed under a new key, afterwards.
        """
        with self._database.begin() as connection:
            taken = (person_keys.c.person == person) & person_keys.c.door.in_(list(doors))
            self._order(connection, person, version, signature, taken)
            _take_keys(connection, person, list(doors))

    def remove(self, person: str, version: int, signature: bytes) -> bool:
        """Remove a person: the document and every wrapped key go, and each door that had one gets an order to wipe.

        ``signature`` is of the tombstone, with ``version`` above the hub's. Return False if there is no such person, or
        they were removed before.
        """
        with self._database.begin() as connection:
            gone = update(people).where(people.c.identifier == person, people.c.document.is_not(None))
            values: dict[str, Any] = {"author": self._member.door, "version": version, "signature": signature}
            if not self._database.is_postgres:
                values["removed_at"] = now_of(connection)
            if not connection.execute(gone.values(document=None, **values)).rowcount:
                return False
            self._order(connection, person, version, signature, person_keys.c.person == person)
            _take_keys(connection, person, None)
            return True

    def _mine(self) -> Select[Any]:
        return _joined(*_COLUMNS).where(person_keys.c.door == self._member.door)

    def _order(self, connection: Connection, person: str, version: int, signature: bytes, taken: Any) -> None:
        """Order the doors that have the keys which ``taken`` selects to wipe the person."""
        doors = connection.execute(select(person_keys.c.door).where(taken)).scalars().all()
        order = {
            "person": person,
            "household": self._member.household,
            "version": version,
            "ordered_by": self._member.door,
            "signature": signature,
        }
        if doors:
            statement = insert(removals).values(ordered_at=now_of(connection))
            connection.execute(statement, [{**order, "door": door} for door in doors])


_COLUMNS = (*people.c, *(column.label(f"key_{column.name}") for column in person_keys.c))


def _joined(*selected: Any) -> Select[Any]:
    return select(*selected).join_from(person_keys, people, people.c.identifier == person_keys.c.person)


def _shared(**row: Any) -> SharedPerson:
    key = {name.removeprefix("key_"): value for name, value in row.items() if name.startswith("key_")}
    person = {name: value for name, value in row.items() if not name.startswith("key_")}
    return SharedPerson(Person(**person), PersonKey(**key), key["revision"])


def _insert(connection: Connection, person: Person) -> bool:
    statement = insert_into(connection, people).values(**_written(person)).on_conflict_do_nothing()
    return connection.execute(statement.returning(people.c.identifier)).first() is not None


def _replace(connection: Connection, person: Person, after: int) -> bool:
    values = {name: value for name, value in _written(person).items() if name not in ("identifier", "household")}
    statement = update(people).where(people.c.identifier == person.identifier, people.c.version == after)
    return bool(connection.execute(statement.values(**values)).rowcount)


def _written(person: Person) -> dict[str, Any]:
    return {name: value for name, value in without_revision(person).items() if name != "removed_at"}


def _put_keys(connection: Connection, keys: Sequence[PersonKey]) -> None:
    if keys:
        statement = insert_into(connection, person_keys)
        new = {name: statement.excluded[name] for name in ("wrapped", "author", "signature")}
        changed = statement.on_conflict_do_update(index_elements=["person", "door"], set_=new)
        connection.execute(changed, [without_revision(key) for key in keys])


def _take_keys(connection: Connection, person: str, doors: list[str] | None) -> None:
    """Take a person's keys from ``doors``, None for all."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT take_keys(:person, :doors)"), {"person": person, "doors": doors})
        return
    taken = person_keys.c.person == person
    connection.execute(delete(person_keys).where(taken if doors is None else taken & person_keys.c.door.in_(doors)))
