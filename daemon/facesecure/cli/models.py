"""``facesecure models``: the networks that come with facesecure, and those it can fetch."""

from __future__ import annotations

from facesecure.cli.help import group

app = group(
    "The models: list, verify, pull.",
    "facesecure models list",
    "facesecure models verify",
    "facesecure models pull yunet",
)
