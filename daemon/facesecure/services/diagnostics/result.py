"""What a check finds, and what it looks at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from facesecure.config import FacesecureConfig


class Health(StrEnum):
    """OK, works but should be looked at, or does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One thing looked at: ``about`` what, how it is, ``what`` was found, and what to ``do`` unless it is fine."""

    about: str
    health: Health
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What is examined: the configuration in force, the file it came from (None: defaults), and the state directory."""

    config: FacesecureConfig
    config_file: Path | None
    state_dir: Path


def ok(about: str, what: str) -> CheckResult:
    return CheckResult(about, Health.OK, what)


def warn(about: str, what: str, do: str) -> CheckResult:
    return CheckResult(about, Health.WARN, what, do)


def fail(about: str, what: str, do: str) -> CheckResult:
    return CheckResult(about, Health.FAIL, what, do)
