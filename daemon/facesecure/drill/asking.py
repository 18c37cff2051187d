"""A drill over the control socket: begun by one question, followed by others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facesecure.control.server import Handler
from facesecure.drill.drill import Drill


def handlers(drill: Drill) -> dict[str, Handler]:
    """``drill`` begins one, ``drill-report`` says how far it has come."""

    def begin(_: Mapping[str, Any]) -> dict[str, Any]:
        drill.begin()
        return {}

    def report(_: Mapping[str, Any]) -> dict[str, Any]:
        present = drill.report()
        return present.as_json() if present else {}

    return {"drill": begin, "drill-report": report}
