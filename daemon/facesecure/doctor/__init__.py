"""Looks at everything the daemon depends on, and says of each what is wrong and what to do about it."""

from facesecure.doctor.examination import CHECKS, examine
from facesecure.doctor.finding import Finding, Health, Patient

__all__ = ["CHECKS", "Finding", "Health", "Patient", "examine"]
