"""Looks at everything the daemon depends on, and says of each what is wrong and what to do about it."""

from facesecure.services.diagnostics.result import Finding, Health, Patient
from facesecure.services.diagnostics.runner import CHECKS, examine

__all__ = ["CHECKS", "Finding", "Health", "Patient", "examine"]
