"""The section [health]: which troubles of the camera are told, and how long each has to last before."""

from __future__ import annotations

from pydantic import Field

from facesecure.config_section import Section


class HealthConfig(Section):
    """Trouble with the camera is an alert of its own. Recordings (file:, dir:) have none."""

    offline: float = Field(20.0, ge=0, description="seconds without any picture before it is told; 0: never")
    frozen: float = Field(120.0, ge=0, description="seconds of the very same picture before it is told; 0: never")
    covered: float = Field(
        20.0, ge=0, description="seconds in which nothing is to be seen, all of a sudden, before it is told; 0: never"
    )
    moved: float = Field(
        120.0, ge=0, description="seconds in which the camera looks elsewhere before it is told; 0: never"
    )
