"""Run the SQL files of the migrations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Connection

_FOLDER = Path(__file__).parent / "sql"


def run_script(connection: Connection, name: str, names: Mapping[str, str]) -> None:
    """Run the statements of ``sql/NAME.sql``, with ``:key:`` replaced by each role of ``names``, quoted."""
    script = (_FOLDER / f"{name}.sql").read_text("utf-8")
    for key, role in names.items():
        script = script.replace(f":{key}:", '"' + role.replace('"', '""') + '"')
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(script.encode())  # several statements at once, which SQLAlchemy does not do
