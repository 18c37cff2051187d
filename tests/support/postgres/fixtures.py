"""The PostgreSQL that the tests of a worker share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.postgres.server import Server, made_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A running PostgreSQL with TLS, in which each test makes databases of its own."""
    with made_server() as server:
        yield server
