"""The base class of the configuration sections."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Base of every section: immutable, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SettingError(ValueError):
    """What is wrong with a setting that lies ``within`` the one that a validator examines: the keys that lead there.

    Example::

        raise SettingError("must be from 0 to 1, not 7", (2, 0))  # in the third corner
    """

    def __init__(self, problem: str, within: tuple[str | int, ...] = ()) -> None:
        super().__init__(problem)
        self.within = within
