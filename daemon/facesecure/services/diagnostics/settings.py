"""Check what was set on the page: whether it is genuine and fits the file, and what became of the last change."""

from __future__ import annotations

from collections.abc import Iterator

from facesecure.config.loader import read_settings, validated
from facesecure.services import settings_history, settings_overlay
from facesecure.services.diagnostics.result import CheckContext, CheckResult, fail, ok, warn
from facesecure.storage.signed_documents import SignedDocuments

_NAME = "settings"


def settings(context: CheckContext) -> Iterator[CheckResult]:
    """Check the settings of the page. Raises StoreError if they are not as facesecure wrote them."""
    documents = SignedDocuments(context.state_dir)
    made = settings_overlay.read(documents)
    source = str(context.config_file) if context.config_file else "the defaults"
    file = read_settings(context.config_file, {}, settings_overlay.page_settings(context.state_dir))
    config, problems = validated(file)
    rejected = settings_history.read(documents).rejected
    if config is None and file.from_page:
        message = f"what was set on the page does not fit {source} any more, and is not used: {file.error(problems)}"
        yield fail(_NAME, " ".join(message.split()), "correct the file, or: facesecure config revert")
    elif len(file.from_page) < len(made):
        unused = len(made) - len(file.from_page)
        yield warn(_NAME, f"{unused} of the page's settings are not used", "facesecure config revert forgets them")
    elif made:
        names = ", ".join(".".join(one.place) for one in made)
        yield ok(_NAME, f"from {source}, and in its place from the page: {names}")
    else:
        yield ok(_NAME, f"from {source}")
    if rejected is not None:
        what = f"a change of {', '.join(rejected.names)} was taken back: {' '.join(rejected.error.split())}"
        yield warn(_NAME, what, "change it again, with other values")
