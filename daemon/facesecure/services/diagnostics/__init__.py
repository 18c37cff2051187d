"""Checks everything the daemon depends on, and says what is wrong and what to do about it."""

from facesecure.services.diagnostics.result import CheckContext, CheckResult, Health
from facesecure.services.diagnostics.runner import CHECKS, run_checks

__all__ = ["CHECKS", "CheckContext", "CheckResult", "Health", "run_checks"]
