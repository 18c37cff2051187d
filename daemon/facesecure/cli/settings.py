"""The global options, and the configuration, state directory, store and log that follow from them."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer import Context

from facesecure.util.plain_text import escaped
from facesecure.util.redaction import bounded

if TYPE_CHECKING:
    from facesecure.config import FacesecureConfig
    from facesecure.storage.store import Store


@dataclass(frozen=True, slots=True)
class Settings:
    """The values of ``--config``, ``--state-dir`` and ``--verbose``."""

    config_file: Path | None = None
    state_dir: Path | None = None
    verbose: int = 0

    def config(self, **overrides: Any) -> FacesecureConfig:
        """Load the configuration and resolve its ``state_dir``.

        Raises ConfigError, with the same list of problems as ``checked_config`` where the schema refuses one.

        ``overrides`` are dotted keys with ``__`` for the dot; those that are None are ignored.

        Example::

            settings.config(camera__source="file:clip.mp4")
        """
        from facesecure.config.paths import state_directory
        from facesecure.domain.errors import ConfigError
        from facesecure.services import settings_overlay

        given = {key.replace("__", "."): value for key, value in overrides.items() if value is not None}
        try:
            config = settings_overlay.load(self.config_file, given, self.state_dir)
        except ConfigError:
            self.checked_config(**overrides)  # raises the error with what is wrong with the plugins and files, too
            raise
        return config.model_copy(update={"state_dir": state_directory(config, self.state_dir)})

    def checked_config(self, **overrides: Any) -> FacesecureConfig:
        """Load the configuration as ``config`` does, and check its plugins, models, devices and folders, too.

        Raises ConfigError with every problem.
        """
        from facesecure.config.paths import state_directory
        from facesecure.services.config_check import checked_config
        from facesecure.services.settings_overlay import page_settings

        given = {key.replace("__", "."): value for key, value in overrides.items() if value is not None}
        made = page_settings(self.state_dir)
        config = checked_config(self.config_file, given, lambda found: state_directory(found, self.state_dir), made)
        return config.model_copy(update={"state_dir": state_directory(config, self.state_dir)})

    def state(self) -> Path:
        """Return the state directory, which need not exist."""
        return state_of(self.config())

    def store(self) -> Store:
        """Open the store, for a ``with`` block. Raises StoreError."""
        return open_store(self.config())


def state_of(config: FacesecureConfig) -> Path:
    """Return ``config.state_dir`` as ``Settings.config`` resolved it."""
    if config.state_dir is None:
        raise ValueError("the state directory is not resolved; use the configuration that Settings.config returns")
    return config.state_dir


def open_store(config: FacesecureConfig) -> Store:
    """Open the store of ``config``, for a ``with`` block, and complete removals that were interrupted.

    Raises StoreError.
    """
    from facesecure.services.people import finish_interrupted
    from facesecure.storage.store import Store

    store = Store.open(state_of(config), keep_snapshots=config.store.snapshots)
    finish_interrupted(store, config, state_of(config))
    return store


def settings_of(context: Context) -> Settings:
    """Return the global options of this command."""
    settings = context.find_root().obj
    return settings if isinstance(settings, Settings) else Settings()


_LONGEST = 20_000
"""Characters of one record of the log: senders of messages and errors may choose their length."""

REGISTRY_LOG = "facesecure.alerts.plugins.registry"


def configure_logging(settings: Settings, usual: int = logging.WARNING) -> None:
    """Log to stderr from level ``usual``, lower by one for each ``-v``; under systemd with its level prefixes.

    Secrets are hidden in every line, whoever logs it, and in tracebacks.
    """
    level = max(logging.DEBUG, usual - 10 * settings.verbose)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JournalFormatter() if "JOURNAL_STREAM" in os.environ else _LineFormatter())
    root = logging.getLogger()
    for old in [old for old in root.handlers if getattr(old, "facesecure", False)]:
        root.removeHandler(old)
    handler.facesecure = True  # type: ignore[attr-defined]
    root.addHandler(handler)
    root.setLevel(level)
    # Below warnings these log often, and nothing that a user can act on.
    for name in ("matplotlib", "alembic", "libav", "urllib3"):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


@contextmanager
def silenced(name: str) -> Iterator[None]:
    """Silence the logger ``name`` in the block: the command reports the same itself."""
    log = logging.getLogger(name)
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


class _LineFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        return _plain(super().format, record)


class _JournalFormatter(logging.Formatter):
    """Formats ``<6>message``: systemd reads the syslog level from the start of the line (sd-daemon(3))."""

    _LEVELS = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}  # noqa: RUF012

    def format(self, record: logging.LogRecord) -> str:
        level = self._LEVELS.get(record.levelno, 6)
        return f"<{level}>" + _plain(super().format, record).replace("\n", f"\n<{level}>")


def _plain(format: Any, record: logging.LogRecord) -> str:
    """Format as plain text. Further lines are indented: none that comes from outside looks like a record."""
    return escaped(_without_traceback(format, record)).replace("\n", "\n    ")


def _without_traceback(format: Any, record: logging.LogRecord) -> str:
    """Format without secrets, and without the traceback unless FACESECURE_DEBUG is set."""
    if not record.exc_info or os.environ.get("FACESECURE_DEBUG"):
        return bounded(format(record), _LONGEST)
    kept, record.exc_info, record.exc_text = record.exc_info, None, None
    try:
        message, reason = format(record), str(kept[1])
        return bounded(message if message.endswith(reason) else f"{message}: {reason}", _LONGEST)
    finally:
        record.exc_info = kept
