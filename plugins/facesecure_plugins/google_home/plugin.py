"""The google_home plugin: its settings, and what the daemon calls."""

from __future__ import annotations

import ipaddress
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from facesecure.alerts.plugins.api import PluginConfig, PluginContext
from facesecure.domain import Alert
from facesecure.domain.errors import PluginError
from facesecure_plugins.google_home.targets import Target

if TYPE_CHECKING:
    from facesecure_plugins.google_home.speakers import SpeakerGroup

CHECK_SECONDS = 0.8
"""The daemon's start waits a second for all checks together."""


def _a_device(text: str) -> str:
    Target.parse(text)
    return text


def _an_address(text: str) -> str:
    return str(ipaddress.ip_address(text))


DeviceName = Annotated[str, AfterValidator(_a_device)]
IPAddress = Annotated[str, AfterValidator(_an_address)]


class GoogleHomePlugin:
    """Says every alert aloud through Google Home and other Cast devices."""

    speaks = True

    class Config(PluginConfig):
        """[plugins.google_home]; attempt_seconds is over as soon as a device has begun to play."""

        devices: tuple[DeviceName, ...] = Field(
            (),
            description="where to speak: names as in the Google Home app, groups too, uuid:..., or an address; "
            "none: the only device there is",
        )
        volume: Annotated[float, Field(ge=0, le=1)] | Literal["keep"] = Field(
            0.6, description='volume of announcements, 0 to 1, set back afterwards; "keep": as it is, muted or not'
        )
        confirm: Literal["any", "all"] = Field(
            "any", description="how many devices must have played it to the end before it counts as delivered"
        )
        serve_address: IPAddress | None = Field(
            None, description="this machine's address that devices fetch from; else the one they are reached from"
        )
        serve_ports: str = Field(
            "0", description='port they fetch from, or a range such as "8200-8210", for a firewall; 0: any'
        )
        interfaces: tuple[IPAddress, ...] = Field(
            (), description="this machine's addresses on which to look for devices; none: on all"
        )
        attempt_seconds: float = Field(
            8.0,
            gt=0,
            le=600,
            description="seconds until a device must have begun to play; then the next channel in the chain is tried",
        )
        expires: float = Field(60.0, gt=0, description="seconds after which an alert is no longer worth saying")

        @field_validator("serve_ports")
        @classmethod
        def _ports(cls, value: str) -> str:
            if not ports(value):
                raise ValueError('a port, or two with a dash between them: "8200-8210"')
            return value

    def __init__(self, config: Config) -> None:
        self.config = config
        self._context: PluginContext | None = None
        self._household: SpeakerGroup | None = None

    def attach(self, context: PluginContext) -> None:
        """Begin to listen for devices, so that an alarm need not look for them first."""
        self._context = context
        self._house().start()

    def check(self) -> None:
        """Raises PluginError where no device, or not every one that is named, can be found or reached."""
        self._house().check(CHECK_SECONDS)

    def send(self, alert: Alert) -> None:
        """Say ``alert``. Returns when it was played to its end; raises PluginError if it was not."""
        context = self._context
        if context is None:
            raise PluginError("nobody has lent google_home a voice", "it speaks when the daemon or a drill runs it")
        recording = context.speech.recording(alert.speech)
        length = context.speech.length(recording)
        told = _Once(lambda step: context.progress(alert, step))
        self._house().say(recording.read_bytes(), length, alert.text, told)

    def close(self) -> None:
        """Let go of the network; may come twice."""
        if self._household is not None:
            self._household.close()
            self._household = None

    def _house(self) -> SpeakerGroup:
        """Made when first needed: it loads pychromecast, and who does not use the plugin has no need of that."""
        if self._household is None:
            from facesecure_plugins.google_home.speakers import SpeakerGroup

            state = self._context.state_dir / "google_home" if self._context is not None else None
            self._household = SpeakerGroup(self.config, ports(self.config.serve_ports), state)
        return self._household


def ports(text: str) -> range:
    """The ports of "8200" or "8200-8210"; empty where it is neither."""
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text.strip())
    if match is None:
        return range(0)
    first, last = int(match[1]), int(match[2] or match[1])
    return range(first, last + 1) if last < 65536 else range(0)


class _Once:
    """Tells of each step the first time that any device gets there."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell, self._told, self._lock = tell, set[str](), threading.Lock()

    def __call__(self, step: str) -> None:
        with self._lock:
            if step not in self._told:
                self._told.add(step)
                self._tell(step)
