"""What every section of the configuration has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Base of every section: immutable, and nothing unknown gets past it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
