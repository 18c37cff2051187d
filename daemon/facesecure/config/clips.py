"""The section [clips]: films of the visits."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from facesecure.config.base import Section


class ClipsConfig(Section):
    """Films of the visits: the camera's own video, encrypted, with some seconds before and after."""

    enabled: Literal["auto"] | bool = Field(
        "auto",
        description="keep a film of every visit, for facesecure events clip ID; auto: of network cameras, whose "
        "own video is kept as it comes; others have to be encoded, which costs processor time",
    )
    keep_days: float = Field(
        7.0, ge=0, description="films older than this many days are removed; 0: as long as their sightings"
    )
    max_mb: float = Field(
        1000.0, gt=0, description="the oldest films are removed when they exceed this; an hour of 4 Mbit/s is 1800 MB"
    )
    before: float = Field(5.0, ge=0, le=30, description="seconds of film before the visit, from the key frame before")
    after: float = Field(5.0, ge=0, le=60, description="seconds of film after the visit")
    longest: float = Field(
        120.0, ge=10, le=3600, description="seconds of one film; a longer visit has several, one after another"
    )
