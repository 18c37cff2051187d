"""A door with an alert policy, on a clock that the test sets."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from facesecure.alerts.policy.arming import Armed
from facesecure.alerts.policy.policy import Policy
from facesecure.alerts.policy.rules import RuleSet
from facesecure.config.policy import PolicyConfig
from facesecure.domain import Alert, SeenFace, Sighting, Verdict, VerdictKind
from facesecure.domain.messages import PhraseBook, Phrases
from facesecure.domain.mode import Mode
from support.builders import NOON
from support.visitors import CHOOSE, faces

CHANNELS = ("log", "notify", "google_home", "speaker")
FALLBACK = {"google_home": "speaker"}


@dataclass
class FakeClock:
    """Both clocks, which run together until the time of day is set."""

    wall: datetime = NOON
    seconds: float = 5000.0
    boot: str = "first"

    def now(self) -> datetime:
        return self.wall

    def steady(self) -> float:
        return self.seconds

    def pass_time(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.seconds += seconds

    def set_wall(self, **by: float) -> None:
        """Set the time of day, by so much."""
        self.wall += timedelta(**by)


@dataclass
class Door:
    """A policy, its clock, and the alerts so far."""

    config: PolicyConfig = field(default_factory=PolicyConfig)
    mode: Mode = Mode.HOME
    zone: tzinfo | None = None
    channels: Sequence[str] = CHANNELS
    memory: Any = None
    cameras: Sequence[str] = ("front door",)
    clock: FakeClock = field(default_factory=FakeClock)
    alerts: list[Alert] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.armed = Armed(self.mode)
        self._numbers = itertools.count(1)
        self.open()

    def open(self) -> None:
        """Start the policy, also again after a restart."""
        self.policy = Policy(
            PhraseBook([Phrases(place=name, several=len(self.cameras) > 1) for name in self.cameras]),
            RuleSet(self.config, self.channels, FALLBACK, self.zone),
            armed=lambda: self.armed,
            match=CHOOSE,
            state_file=self.memory,
            clock=self.clock,
        )

    def arm(self, mode: Mode) -> None:
        self.armed = Armed(mode, self.clock.now())

    def known(self, name: str = "Anna", *, instead_of: Sighting | None = None) -> Sighting:
        return self.sighting(VerdictKind.KNOWN, name, (), instead_of)

    def stranger(
        self, person: int | None = 1, visit: int = 0, *, instead_of: Sighting | None = None, model: str | None = None
    ) -> Sighting:
        """Make a stranger's sighting; ``person`` None is one whose face cannot be compared."""
        seen = () if person is None else faces(person, visit)
        seen = tuple(replace(face, model_sha256=model) for face in seen) if model else seen
        return self.sighting(VerdictKind.STRANGER, None, seen, instead_of)

    def unidentified(self) -> Sighting:
        return self.sighting(VerdictKind.UNIDENTIFIED, None, (), None)

    def sighting(
        self, kind: VerdictKind, name: str | None, seen: tuple[SeenFace, ...], instead_of: Sighting | None
    ) -> Sighting:
        now, supersedes = self.clock.now(), instead_of.identifier if instead_of else None
        return Sighting(
            f"s{next(self._numbers)}",
            Verdict(kind, "because", name=name),
            "front door",
            now,
            now,
            track=1,
            supersedes=supersedes,
            faces=seen,
        )

    def comes(self, sighting: Sighting) -> list[str]:
        """Return the texts of the alerts for ``sighting``."""
        return self._texts(self.policy.decide(sighting, Path("picture.jpg")))

    def comes_to(self, camera: str, sighting: Sighting) -> list[str]:
        """Return the texts of the alerts for ``sighting``, seen by ``camera``."""
        return self.comes(replace(sighting, source=camera))

    def camera(self, what: str, camera: str = "", why: str = "") -> list[str]:
        return self._texts(self.policy.on_camera_event(what, camera=camera, why=why))

    def service(self, event: str) -> list[str]:
        return self._texts(self.policy.on_service_event(event))

    def wait(self, seconds: float = 0, **more: float) -> list[str]:
        """Let time pass, in steps of a second or more, and return the texts of the alerts that become due."""
        left = timedelta(seconds=seconds, **more).total_seconds()
        step = max(1.0, left / 600)
        texts = []
        while left > 0:
            self.clock.pass_time(min(step, left))
            left -= step
            texts += self._texts(self.policy.due())
        return texts

    def _texts(self, alerts: list[Alert]) -> list[str]:
        self.alerts += alerts
        return [alert.text for alert in alerts]


def rules(*rules: dict[str, Any], **settings: Any) -> PolicyConfig:
    return PolicyConfig.model_validate({"rules": list(rules), **settings})
