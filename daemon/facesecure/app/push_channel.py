"""The channel to the browsers that have subscribed on the page."""

from __future__ import annotations

from facesecure.alerts.push.plugin import PushPlugin, PushSettings
from facesecure.app.context import DaemonContext
from facesecure.domain.actors import DAEMON
from facesecure.domain.interfaces import AlertPlugin
from facesecure.domain.push import PUSH, PushSubscription
from facesecure.services import audit


def push_channel(context: DaemonContext) -> dict[str, AlertPlugin]:
    """Return the channel by its name, if browsers may ask for notifications."""
    web, config = context.config.web, context.config
    if not (web.enabled and web.push):
        return {}
    settings = PushSettings(
        contact=web.push_contact,
        private=web.push_private,
        signed_in_days=web.signed_in_days,
        places=tuple(each.camera.name for each in config.each_camera()),
        language=config.speech.language,
    )

    def removed(one: PushSubscription) -> None:
        audit.record(context.state_dir, "push-removed", one.account, one.device or "one browser", actor=DAEMON)

    return {PUSH: PushPlugin(context.store.page.push, settings, removed)}
