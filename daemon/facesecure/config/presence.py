"""The section [presence]: who lives here, how it is learnt who is at home, and what follows from it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from facesecure.config.base import Section, SettingError
from facesecure.config.policy import Name
from facesecure.domain.names import name_key

_TOPIC = r"^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63}(/[A-Za-z0-9_.:-]{1,64}){0,6}$"
_WORD = r"^[^\x00-\x1f\x7f]{1,64}$"
HOME = "home"

StateTopic = Annotated[str, Field(pattern=_TOPIC)]
Word = Annotated[str, Field(pattern=_WORD)]


class PresenceConfig(Section):
    """Who is at home, and what follows: by default nothing, it is only shown."""

    people: list[Name] = Field(
        default_factory=list,
        max_length=16,
        description='whose presence is followed, such as ["Anna", "Tom"]; without names there is no presence',
    )
    topics: dict[Name, StateTopic] = Field(
        default_factory=dict,
        description="the MQTT topic on which it stands whether a person is at home, where it is not ours: "
        '{ Anna = "homeassistant/person/anna/state" }; by default presence/NAME below [mqtt] topic',
    )
    away_words: list[Word] = Field(
        default_factory=lambda: ["not_home", "away"],
        max_length=32,
        description='what stands there of somebody who is not at home, such as a zone of Home Assistant, "Work"; '
        "home is home, and anything else is unknown",
    )
    arm: bool = Field(False, description="whether it is armed away when everybody has been away for leave_delay")
    disarm: bool = Field(
        False, description="whether away becomes home when the first one comes home; whoever may publish can then do so"
    )
    leave_delay: float = Field(300.0, ge=10, le=86400, description="seconds that everybody must have been away")
    expires_days: float = Field(
        7.0, gt=0, le=90, description="days after which somebody of whom nothing was heard counts as unknown"
    )

    @model_validator(mode="after")
    def _names_each_person_once(self) -> PresenceConfig:
        keys = [name_key(name) for name in self.people]
        if len(set(keys)) < len(keys):
            raise SettingError("names somebody twice", ("people",))
        if strange := [name for name in self.topics if name_key(name) not in keys]:
            raise SettingError(f"is about {strange[0]}, who is not one of the people", ("topics",))
        if len(set(self.topics.values())) < len(self.topics):
            raise SettingError("has the same topic for two people", ("topics",))
        if HOME in self.away_words:
            raise SettingError("cannot have home among them", ("away_words",))
        return self
