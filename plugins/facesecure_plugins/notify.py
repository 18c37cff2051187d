"""The notify plugin: alerts by Apprise to ntfy, Telegram, e-mail, Pushover and a hundred services more.

Apprise (github.com/caronc/apprise) loads all of its services at once, some 45 MB: it is imported when the first
message goes out, and only where this plugin is enabled.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any

from pydantic import Field, SecretStr

from facesecure.alerts.plugins.api import PluginConfig, PluginContext
from facesecure.domain import Alert, AlertKind
from facesecure.domain.errors import PluginError

if TYPE_CHECKING:
    from apprise import NotifyBase

_SERVICES = "how a service's address is written: github.com/caronc/apprise/wiki"
_REMEMBERED = 256
_TYPES = {
    AlertKind.STRANGER: "warning",
    AlertKind.CAMERA: "warning",
    AlertKind.SERVICE: "warning",
}

log = logging.getLogger(__name__)


class NotifyPlugin:
    """Sends every alert, with its picture, to the services you name (ntfy, Telegram, e-mail and many more)."""

    class Config(PluginConfig):
        """[plugins.notify]"""

        urls: list[SecretStr] = Field(
            default_factory=list,
            description="where to: Apprise addresses, such as ntfy://topic, tgram://token/chat, mailto://user:pass@host",
        )
        title: str = Field("facesecure", description="the title, for services that show one; the place follows it")
        picture: bool = Field(True, description="attach the snapshot, where the service can")

    def __init__(self, config: Config) -> None:
        self._config = config
        self._title = config.title
        self._services: list[NotifyBase | PluginError] | None = None
        self._told: OrderedDict[str, set[int]] = OrderedDict()
        """Which services each of the last alerts has reached: a second attempt spares them."""

    def attach(self, context: PluginContext) -> None:
        """The place goes into the title."""
        self._title = ": ".join(part for part in (self._config.title, context.place) if part)

    def check(self) -> None:
        """Raises PluginError where no service is set, or an address is none. Sends nothing."""
        for service in self._load():
            if isinstance(service, PluginError):
                raise service

    def send(self, alert: Alert) -> None:
        """Delivered when every service took it. Raises PluginError naming those that did not: the next attempt's."""
        told = self._reached(alert.identifier)
        failures = []
        for number, service in enumerate(self._load()):
            if number in told:
                continue
            failure = service.message if isinstance(service, PluginError) else self._tell(service, alert)
            if failure:
                failures.append(failure)
            else:
                told.add(number)
        if failures:
            raise PluginError("; ".join(failures), "check [plugins.notify] urls, and the network")

    def _load(self) -> list[NotifyBase | PluginError]:
        """The services, made once; of an address that is none, why: the others get their messages all the same.

        Raises PluginError where there is none at all. An address is never shown, it holds a password.
        """
        if self._services is None:
            self._services = [_service(number, url) for number, url in enumerate(self._config.urls, 1)]
        if not self._services:
            raise PluginError("no service is set", 'set [plugins.notify] urls = ["ntfy://your-topic"]; ' + _SERVICES)
        return self._services

    def _reached(self, identifier: str) -> set[int]:
        told = self._told.setdefault(identifier, set())
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        return told

    def _tell(self, service: NotifyBase, alert: Alert) -> str:
        """ "" when it was told, or why not. A picture that cannot go does not stop the words."""
        message: dict[str, Any] = {
            "body": alert.text,
            "title": self._title,
            "notify_type": _TYPES.get(alert.kind, "info"),
        }
        picture = alert.snapshot_path if self._config.picture and service.attachment_support else None
        if picture is not None and picture.is_file():
            if not _failure(service, {**message, "attach": str(picture)}):
                return ""
            log.warning("%s did not take the picture; sending the words alone", service.service_name)
        return _failure(service, message)


def _service(number: int, url: SecretStr) -> NotifyBase | PluginError:
    try:
        import apprise
    except ImportError as error:
        raise PluginError("apprise is not installed", "pip install 'facesecure[notify]'") from error
    with _complaints() as said:
        service = apprise.Apprise.instantiate(url.get_secret_value())
    if service is None:
        log.debug("apprise on address %d: %s", number, said.getvalue())
        return PluginError(f"address {number} of urls is none that Apprise knows", _SERVICES)
    return service


def _failure(service: NotifyBase, message: dict[str, Any]) -> str:
    """Send, and say in a line what Apprise said went wrong; "" where nothing did."""
    import apprise

    box = apprise.Apprise()
    box.add(service)
    with _complaints() as said:
        delivered = box.notify(**message)
        complaint = said.getvalue().strip().splitlines()
    if delivered:
        return ""
    return f"{service.service_name!s} did not take it" + (f" ({complaint[0].rstrip('.')})" if complaint else "")


@contextmanager
def _complaints() -> Iterator[StringIO]:
    """What Apprise logs meanwhile, which is the only place where it says why; ours alone, for it repeats addresses."""
    from apprise import LogCapture

    logger = logging.getLogger("apprise")
    logger.propagate = False
    try:
        with LogCapture(level=logging.WARNING, fmt="%(message)s") as captured:  # type: ignore[no-untyped-call]
            yield captured
    finally:
        logger.propagate = True
