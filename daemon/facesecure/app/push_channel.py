"""The channel to the browsers that have subscribed on the page."""

from __future__ import annotations

from facesecure.app.context import DaemonContext
from facesecure.domain.interfaces import AlertPlugin
from facesecure.domain.push import PUSH
from facesecure.services.push import push_plugin


def push_channel(context: DaemonContext) -> dict[str, AlertPlugin]:
    """Return the channel by its name, if browsers may ask for notifications."""
    plugin = push_plugin(context.config, context.store, context.state_dir)
    return {} if plugin is None else {PUSH: plugin}
