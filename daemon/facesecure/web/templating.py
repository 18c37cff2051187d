"""Templates: HTML that escapes whatever it shows, in the language of the person who looks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from facesecure.web.language import IN_ENGLISH, Language
from facesecure.web.static import static
from facesecure.web.times import ago, clock, day, seconds_in_words, time_of

_language: ContextVar[Language] = ContextVar("language", default=IN_ENGLISH)


def make_templates() -> Environment:
    """Return the environment of all templates. A name that a template uses and nobody gave is an error."""
    templates = Environment(
        loader=PackageLoader("facesecure.web"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(
        _=lambda text, **values: _language.get()(text, **values),
        _n=lambda one, many, count, **values: _language.get().number(one, many, count, **values),
        said=_said,
        in_words=_in_words,
        language=lambda: _language.get().code,
        static=static,
        now=lambda: datetime.now().astimezone(),
    )
    templates.filters.update(
        ago=lambda when: ago(time_of(when), _language.get()),
        clock=lambda when: clock(time_of(when)),
        day=lambda when: day(time_of(when), _language.get()),
        iso=lambda when: time_of(when).isoformat(timespec="seconds"),
        seconds=lambda count: seconds_in_words(count, _language.get()),
    )
    return templates


def _said(text: str) -> str:
    """Return a sentence of the daemon's in the language of the person; marked as English if it is not known in it."""
    found = _language.get().sentence(text)
    return Markup('<span lang="en">{}</span>').format(text) if found is None else found


def _in_words(text: str) -> str:
    """Return a text of the daemon's in the language of the person; as it is if it is not known in it."""
    language = _language.get()
    return language.sentence(text) or language.texts.get(text, text)


@contextmanager
def shown_in(language: Language) -> Iterator[None]:
    """Render in ``language`` while the block runs, macros of imported templates too."""
    before = _language.set(language)
    try:
        yield
    finally:
        _language.reset(before)
