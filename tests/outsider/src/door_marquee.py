"""A third-party plugin: the latest alert as a line in a text file, which a small display shows."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from facesecure.alerts.plugins.api import PluginConfig, PluginContext
from facesecure.domain import Alert
from facesecure.domain.errors import PluginError


class MarqueePlugin:
    """Writes the latest alert to a file that a display shows."""

    class Config(PluginConfig):
        file: Path | None = Field(None, description="the display's file; left out, marquee.txt in the state directory")
        width: int = Field(40, ge=10, le=400, description="characters that the display has room for")
        expires: float = Field(600.0, gt=0, description="seconds after which an alert is not worth showing")

    def __init__(self, config: Config) -> None:
        self._config = config
        self._file = config.file

    def attach(self, context: PluginContext) -> None:
        self._file = self._file or context.state_dir / "marquee.txt"

    def check(self) -> None:
        if self._file is not None and not self._file.parent.is_dir():
            raise PluginError(f"there is no folder {self._file.parent}", "set [plugins.marquee] file")

    def send(self, alert: Alert) -> None:
        if self._file is None:
            raise PluginError("no file is set", "set [plugins.marquee] file")
        line = f"{alert.created_at.astimezone():%H:%M} {alert.text}"
        try:
            self._file.write_text(line[: self._config.width] + "\n", encoding="utf-8")
        except OSError as error:
            raise PluginError(f"cannot write {self._file}: {error.strerror}", "set [plugins.marquee] file") from error
