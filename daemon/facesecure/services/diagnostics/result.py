"""The result of a check, and what is checked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from facesecure.config import FacesecureConfig
from facesecure.util.redaction import redact


class Health(StrEnum):
    """The severity of a result: fine, works but needs attention, or does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check: what was checked, its health, what was found, and the remedy unless it is fine."""

    check: str
    health: Health
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What is checked: the configuration, the file it came from (None: the defaults), and the state directory."""

    config: FacesecureConfig
    config_file: Path | None
    state_dir: Path


def ok(check: str, message: str) -> CheckResult:
    """Return the result of a check that passed."""
    return CheckResult(check, Health.OK, redact(message))


def warn(check: str, message: str, remedy: str) -> CheckResult:
    """Return the result of a check that needs attention."""
    return CheckResult(check, Health.WARN, redact(message), redact(remedy))


def fail(check: str, message: str, remedy: str) -> CheckResult:
    """Return the result of a check that failed."""
    return CheckResult(check, Health.FAIL, redact(message), redact(remedy))
