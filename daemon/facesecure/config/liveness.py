"""The section [liveness]: whether a face may be a picture that is held up."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from facesecure.config.base import Section


class LivenessConfig(Section):
    """Doubt whether a known face is a person, or a picture held up: on a phone, a tablet or paper."""

    mode: Literal["off", "log", "on"] = Field(
        "on",
        description='on: the alert says "Anna, or a picture of Anna", and no name is spoken | log: only the log says '
        "so | off; more is found after: facesecure models pull antispoof",
    )
    min_face: int = Field(60, ge=40, le=2000, description="width of the smallest face that is judged, in pixels")
    together: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5, description="share of the movements in which the surroundings move with the face that raises a doubt"
    )
    score: Annotated[float, Field(gt=0, le=1)] = Field(
        0.8, description="mean score of both pulled networks that raises a doubt"
    )
