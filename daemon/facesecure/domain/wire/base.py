"""The base of all JSON documents, and the forms of times, numbers and paths in them."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainSerializer


def _rounded(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


Time = Annotated[datetime, PlainSerializer(datetime.isoformat)]
"""ISO 8601 with the time zone."""
Number = Annotated[float, PlainSerializer(_rounded)]
"""Six decimals; null where it is not finite."""
PathText = Annotated[Path, PlainSerializer(str)]


class Document(BaseModel):
    """Base of all documents: immutable, and unknown keys are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def as_json(self) -> dict[str, Any]:
        """Return the document in JSON's own types, keys in the order of the fields."""
        return self.model_dump(mode="json")
