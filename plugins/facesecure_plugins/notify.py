"""The notify plugin: alerts through Apprise to ntfy, Telegram, e-mail, Pushover and a hundred other services.

Apprise (github.com/caronc/apprise) loads all of its services at once, some 45 MB: it is imported for the first message,
and only if this plugin is enabled.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, SecretStr

from facesecure.alerts.plugins.api import Clips, PluginConfig, PluginContext
from facesecure.domain import Alert, AlertKind
from facesecure.domain.errors import PluginError

if TYPE_CHECKING:
    from apprise import NotifyBase

_SERVICES = "the addresses of all services: github.com/caronc/apprise/wiki"
_REMEMBERED = 256
_TYPES = {
    AlertKind.STRANGER: "warning",
    AlertKind.CAMERA: "warning",
    AlertKind.SERVICE: "warning",
}

log = logging.getLogger(__name__)


class NotifyPlugin:
    """Sends every alert, with its snapshot, to the services you name (ntfy, Telegram, e-mail and many more).

    Example::

        NotifyPlugin(NotifyPlugin.Config(urls=["ntfy://my-topic"])).send(alert)
    """

    class Config(PluginConfig):
        """[plugins.notify]."""

        urls: list[SecretStr] = Field(
            default_factory=list,
            description="where to send: Apprise addresses, such as ntfy://topic, tgram://token/chat, mailto://user:pass@host",
        )
        title: str = Field(
            "facesecure", description="the title, for services that show one; the camera's name follows it"
        )
        picture: bool = Field(True, description="attach the snapshot, if the service can")
        clip: bool = Field(
            True, description="attach the film of the visit so far, if the service can and [clips] keeps films"
        )
        clip_mb: float = Field(8.0, gt=0, le=50, description="a film is cut where it would be larger than this")

    def __init__(self, config: Config) -> None:
        """Store the settings; Apprise is not loaded yet."""
        self._config = config
        self._place: str | None = ""
        self._clips: Clips | None = None
        self._services: list[NotifyBase | PluginError] | None = None
        self._reached: OrderedDict[str, set[int]] = OrderedDict()
        """The services that each of the latest alerts has reached: a second attempt leaves them out."""

    def attach(self, context: PluginContext) -> None:
        """Store the name of the only camera, and where films are kept."""
        self._clips = context.clips
        self._place = context.place if len(context.places) == 1 else None

    def check(self) -> None:
        """Raise PluginError if no service is set or an address is invalid. Sends nothing."""
        self._load()
        self.check_settings()

    def check_settings(self) -> None:
        """Raise PluginError with every address that is invalid. Sends nothing."""
        services = self._load() if self._config.urls else []
        if wrong := [service.message for service in services if isinstance(service, PluginError)]:
            raise PluginError("; ".join(wrong), _SERVICES)

    def send(self, alert: Alert) -> None:
        """Send ``alert`` to every service. Raises PluginError for those that failed, which the next attempt repeats."""
        reached = self._reached_by(alert.identifier)
        failures = []
        for number, service in enumerate(self._load()):
            if number in reached:
                continue
            failure = service.message if isinstance(service, PluginError) else self._send(service, alert)
            if failure:
                failures.append(failure)
            else:
                reached.add(number)
        if failures:
            raise PluginError("; ".join(failures), "check [plugins.notify] urls, and the network")

    def _load(self) -> list[NotifyBase | PluginError]:
        """Return the services, created once; in place of an invalid address, the error.

        Raises PluginError if no address is set. An address is never shown, since it contains a password.
        """
        if self._services is None:
            self._services = [_service(number, url) for number, url in enumerate(self._config.urls, 1)]
        if not self._services:
            raise PluginError("no service is set", 'set [plugins.notify] urls = ["ntfy://your-topic"]; ' + _SERVICES)
        return self._services

    def _reached_by(self, identifier: str) -> set[int]:
        reached = self._reached.setdefault(identifier, set())
        while len(self._reached) > _REMEMBERED:
            self._reached.popitem(last=False)
        return reached

    def _title(self, alert: Alert) -> str:
        """Return the title with the name of the camera; of several, that of the one that saw the visit."""
        place = alert.sighting.source if self._place is None and alert.sighting else self._place
        return ": ".join(part for part in (self._config.title, place) if part)

    def _send(self, service: NotifyBase, alert: Alert) -> str:
        """Send with what can be attached, or with less if that fails. Returns the failure, "" if there is none."""
        message: dict[str, Any] = {
            "body": alert.text,
            "title": self._title(alert),
            "body_format": "text",  # or a name with <, & or * would be markup, which Telegram refuses
            "notify_type": _TYPES.get(alert.kind, "info"),
        }
        with self._film(service, alert) as film:
            for names, attached in _attachments(self._picture(service, alert), film):
                if not _failure_of(service, {**message, "attach": attached}):
                    return ""
                log.warning("%s refused the %s; sending less", service.service_name, names)
        return _failure_of(service, message)

    def _picture(self, service: NotifyBase, alert: Alert) -> Path | None:
        snapshot = alert.snapshot_path if self._config.picture and service.attachment_support else None
        return snapshot if snapshot is not None and snapshot.is_file() else None

    def _film(self, service: NotifyBase, alert: Alert) -> AbstractContextManager[Path | None]:
        wanted = self._config.clip and service.attachment_support and self._clips is not None
        return self._clips.film(alert, round(self._config.clip_mb * 1e6)) if wanted and self._clips else nullcontext()


def _attachments(picture: Path | None, film: Path | None) -> Iterator[tuple[str, list[Any]]]:
    """Yield what to attach, and its name: both, the snapshot alone."""
    from apprise.attachment.file import AttachFile

    pictures = [] if picture is None else [str(picture)]
    if film is not None:
        clip = AttachFile(str(film), name="clip.mp4", mimetype="video/mp4")  # type: ignore[no-untyped-call]
        yield "film", [*pictures, clip]
    if pictures:
        yield "snapshot", pictures


def _service(number: int, url: SecretStr) -> NotifyBase | PluginError:
    try:
        import apprise
    except Exception as error:  # a library that does not fit raises more than ImportError
        raise PluginError(
            f"apprise cannot be imported ({error})", "install facesecure again: sudo make install"
        ) from error
    with _captured_log() as captured:
        service = apprise.Apprise.instantiate(url.get_secret_value())
    if service is None:
        log.debug("apprise on address %d: %s", number, captured.getvalue())
        return PluginError(f"address {number} of urls is not known to Apprise", _SERVICES)
    return service


def _failure_of(service: NotifyBase, message: dict[str, Any]) -> str:
    """Send, and return what Apprise logged about a failure as one line, "" if there was none."""
    import apprise

    box = apprise.Apprise()
    box.add(service)
    with _captured_log() as captured:
        delivered = box.notify(**message)
        complaint = captured.getvalue().strip().splitlines()
    if delivered:
        return ""
    return f"{service.service_name!s} refused it" + (f" ({complaint[0].rstrip('.')})" if complaint else "")


@contextmanager
def _captured_log() -> Iterator[StringIO]:
    """Capture Apprise's log, the only place where it gives reasons; it is not passed on, as it contains addresses."""
    from apprise import LogCapture

    logger = logging.getLogger("apprise")
    logger.propagate = False
    try:
        with LogCapture(level=logging.WARNING, fmt="%(message)s") as captured:  # type: ignore[no-untyped-call]
            yield captured
    finally:
        logger.propagate = True
