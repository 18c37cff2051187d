"""Templates show what they are given as text, never as HTML, and say no more than their parts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

import facesecure.web
from facesecure.web.language import Catalogues
from facesecure.web.templating import make_templates, shown_in

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"
TEMPLATES = make_templates()
PARTS = {
    "form": "{% call parts.form(h, hx_post=h) %}{{ h }}{% endcall %}",
    "button": "{{ parts.button(h, name=h, value=h, kind=h, data_x=h) }}",
    "link": "{{ parts.link(h, h) }}",
    "field": "{{ parts.field(h, h, h, error=h, hint=h, placeholder=h) }}",
    "text": "{{ parts.field(h, h, h, type='textarea') }}",
    "choice": "{{ parts.choice(h, h, [(h, h)], h, error=h) }}",
    "tick": "{{ parts.tick(h, h, True, h) }}",
    "card": "{% call parts.card(h, id=h) %}{{ h }}{% endcall %}",
    "badge": "{{ parts.badge(h) }}{{ parts.badge('known', h) }}",
    "picture": "{{ parts.picture(h, h, kind=h) }}",
    "empty": "{{ parts.empty(h, h) }}",
    "note": "{{ parts.note(h, h) }}",
    "confirm": "{{ parts.confirm(h, h, h, fields={'a': h}) }}",
    "who": "{{ parts.who({'name': h}) }}",
    "translated": "{{ _('Signed in as %(name)s.', name=h) }}{{ _n('%(n)s visit', '%(n)s visits', 2) }}{{ _(h) }}",
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("code", ["en", "fr"])
def test_a_hostile_name_is_shown_as_it_is_spelled(part: str, code: str) -> None:
    template = TEMPLATES.from_string('{% import "parts.html" as parts %}' + PARTS[part])
    with shown_in(Catalogues().choose(code, "")):
        html = template.render(h=HOSTILE)
    assert "&lt;script&gt;alert(1)" in html
    assert "<script" not in html
    assert "<img src=x" not in html
    assert "49" not in html
    assert not re.search(r"=\"[^\"]*\"'>", html)


@pytest.mark.parametrize("path", sorted(Path(facesecure.web.__file__).parent.glob("templates/*.html")), ids=str)
def test_no_template_shows_anything_unescaped_or_inline(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\|\s*safe|autoescape|Markup", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", text, re.IGNORECASE)
    TEMPLATES.get_template(path.name)


def test_a_name_that_nobody_gave_is_a_mistake() -> None:
    with pytest.raises(UndefinedError):
        TEMPLATES.from_string("{{ nobody }}").render()


def test_a_time_says_when_to_people_and_to_programs() -> None:
    when = datetime(2026, 5, 1, 12, 30, tzinfo=UTC).astimezone()
    html = TEMPLATES.from_string('{% import "parts.html" as parts %}{{ parts.time(when) }}').render(when=when)
    assert f'datetime="{when.isoformat(timespec="seconds")}"' in html
    assert html.startswith("<time ")


def test_a_field_with_an_error_says_so_to_everybody() -> None:
    source = (
        '{% import "parts.html" as parts %}{{ parts.field("name", "Name", "Ann", error="Too short", hint="Yours") }}'
    )
    html = TEMPLATES.from_string(source).render()
    assert '<label for="field-name">Name</label>' in html
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="field-name-hint field-name-error"' in html
    assert 'id="field-name-error">Too short<' in html


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, as WCAG 2 defines it."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def palettes() -> list[dict[str, Any]]:
    css = (Path(facesecure.web.__file__).parent / "static" / "page.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    colours = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", part)) for part in (light, dark)]
    return [colours[0], {**colours[0], **colours[1]}]


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark"])
def test_every_text_can_be_read_on_its_ground(palette: dict[str, str]) -> None:
    for kind in ("known", "stranger", "unidentified", "doubt"):
        for ground in (f"{kind}-soft", "surface", "ground"):
            assert contrast(palette[kind], palette[ground]) >= 4.5, (kind, ground)
    for ink in ("ink", "quiet", "accent"):
        for ground in ("surface", "ground", "raised"):
            assert contrast(palette[ink], palette[ground]) >= 4.5, (ink, ground)
    assert contrast(palette["on-accent"], palette["accent"]) >= 4.5
    assert contrast(palette["surface"], palette["stranger"]) >= 4.5
    assert contrast(palette["edge"], palette["surface"]) >= 3
