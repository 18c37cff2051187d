"""Parse what another door has sealed: whatever it wrote, nothing but a ValueError comes of it."""

from __future__ import annotations

import json
from typing import Any


def parsed(plain: bytes) -> dict[str, Any]:
    """Return the JSON object in ``plain``. Raises ValueError for anything else, also for what is nested too deeply."""
    try:
        said = json.loads(plain)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(said, dict):
        raise ValueError("it is not a JSON object")
    return said
