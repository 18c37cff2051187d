"""What lies on the broker: remembered in STATE_DIR/mqtt.json, so that it can be removed when it is not wanted."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from facesecure.util.files import write_durably

FILE_NAME = "mqtt.json"
_MOST = 2000

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class LeftBehind:
    """The retained topics, and for each picture of a visitor the visit it shows and a hash of whom it was taken for.

    Example::

        left = LeftBehind.read(state_dir)
        left.topics.add("facesecure/pi1/state")
        left.write(state_dir)
    """

    topics: set[str] = field(default_factory=set)
    faces: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, state_dir: Path) -> LeftBehind:
        """Return what was written last; nothing if that cannot be read."""
        try:
            found: Any = json.loads((state_dir / FILE_NAME).read_text("utf-8"))
            topics = {str(one) for one in found["topics"] if is_plain(str(one))}
            return cls(topics, {str(topic): (str(a), str(b)) for topic, (a, b) in found["faces"].items()})
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning("%s cannot be read, so older topics stay on the broker: %s", FILE_NAME, error)
            return cls()

    def write(self, state_dir: Path) -> None:
        """Write it; a full disk is logged, and what lies on the broker is then known until the next start only."""
        document = {**asdict(self), "topics": sorted(self.topics)[:_MOST]}
        try:
            write_durably(state_dir / FILE_NAME, json.dumps(document, indent=1).encode())
        except OSError as error:
            _log.warning("%s cannot be written: %s", FILE_NAME, error)


def is_plain(topic: str) -> bool:
    """Return whether a message can be published on ``topic``: it is no filter."""
    return 0 < len(topic) < 400 and topic.isprintable() and not set(topic) & set("+#$")
