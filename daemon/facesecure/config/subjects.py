"""The section [subjects]: what moves without showing a face."""

from __future__ import annotations

from pydantic import Field

from facesecure.config.base import Section


class SubjectsConfig(Section):
    """Tell a person who shows no face from an animal, a vehicle, and what is nothing known, such as a shadow."""

    enabled: bool = Field(
        True,
        description="look about once a second at what moves while no face is found; false: it is not known what moved, "
        "and everything that moves without a face raises an alert",
    )
