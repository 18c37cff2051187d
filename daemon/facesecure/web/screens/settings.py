"""Settings: a form for each section, mistakes at their fields, the difference before it is saved, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web.daemon import DaemonRefused
from facesecure.web.language import Language
from facesecure.web.request import ask, language_of, redirect, render
from facesecure.web.restart import restarted

DONE = {
    "settings-saved": "Saved, and in use.",
    "settings-rejected": "facesecure did not start with that: the change was taken back.",
    "settings-later": "Saved. It holds after the next start of facesecure.",
    "settings-same": "Nothing was changed.",
    "settings-undone": "The last change was taken back.",
}
_TITLES = {
    "health": "Camera faults",
    "motion": "Movement",
    "detector": "Finding faces",
    "quality": "Quality of faces",
    "recognizer": "Recognising faces",
    "inference": "Processor and accelerator",
    "verdict": "Verdicts",
    "liveness": "Pictures held up",
    "subjects": "People, animals, vehicles",
    "store": "Storage",
    "clips": "Films",
    "speech": "Voice",
    "policy": "Alerts and hours",
    "presence": "Who is at home",
    "alerts": "Delivery",
    "web": "This page",
    "mqtt": "MQTT",
    "hub": "Hub",
    "updates": "New versions",
}
TEXTS = tuple(_TITLES.values())
_MOST_FOUND = 60
_LONGEST = 20_000


async def show(request: Request) -> Response:
    """Show the sections, or the settings that a search finds."""
    schema = (await ask(request, "settings-schema")).result
    words = request.query_params.get("q", "")[:100].casefold().split()
    found = list(_found(schema["sections"], words, language_of(request)))[:_MOST_FOUND] if words else []
    sections = [_shown(request, section) for section in schema["sections"]]
    values = {**schema, "sections": sections, "query": " ".join(words), "hits": found}
    return render(request, "settings.html", values)


async def state(request: Request) -> Response:
    """Show what became of the last change, once it is in use or taken back; fetched anew as that changes."""
    found = await restarted(request, "settings-state") or (await ask(request, "settings-state")).result
    return render(request, "settings_state.html", found)


async def edit(request: Request) -> Response:
    """Show the form of a section."""
    schema = (await ask(request, "settings-schema")).result
    return _form(request, schema, _section(request, schema["sections"]), {}, {})


async def preview(request: Request) -> Response:
    """Show what the form would change, or its mistakes at their fields."""
    form = await request.form()
    schema = (await ask(request, "settings-schema")).result
    section = _section(request, schema["sections"])
    texts, unset = _typed(section, form)
    asked = {"revision": str(form.get("revision", ""))[:32], "texts": texts, "unset": unset}
    return await _previewed(request, schema, section, asked)


async def save(request: Request) -> Response:
    """Save what was shown; ask for the password first, where it was not given lately."""
    form = await request.form()
    schema = (await ask(request, "settings-schema")).result
    section = _section(request, schema["sections"])
    texts, unset = _typed(section, form)
    asked = {"revision": str(form.get("revision", ""))[:32], "texts": texts, "unset": unset}
    refused = await confirmed(request, form)
    if refused is not None:
        return await _previewed(request, schema, section, asked, password=refused)
    try:
        answer = (await ask(request, "settings-save", asked)).result
    except DaemonRefused as error:
        if error.kind != "confirm":
            raise
        return await _previewed(request, schema, section, asked, password="")
    if answer["problems"]:
        return _form(request, schema, section, texts, _problems(answer["problems"]))
    done = await done_of(request, answer, "settings-state")
    return redirect(
        request, "/settings" if done == "rejected" else f"/settings/{section['name']}", done=f"settings-{done}"
    )


async def undo(request: Request) -> Response:
    """Take the last change back."""
    form = await request.form()
    refused = await confirmed(request, form)
    asked = {"revision": str(form.get("revision", ""))[:32]}
    if refused is None:
        try:
            answer = (await ask(request, "settings-undo", asked)).result
        except DaemonRefused as error:
            if error.kind != "confirm":
                raise
            refused = ""
    if refused is not None:
        return render(request, "settings_undo.html", {**asked, "password_error": refused})
    done = await done_of(request, answer, "settings-state")
    return redirect(request, "/settings", done="settings-rejected" if done == "rejected" else "settings-undone")


async def confirmed(request: Request, form: FormData) -> str | None:
    """Give the daemon the password of ``form``, if it has one; return why it is refused, None if it is not."""
    password = str(form.get("password", ""))
    if not password:
        return None
    try:
        await ask(request, "confirm", {"password": password[:_LONGEST]})
    except DaemonRefused as error:
        if error.kind != "invalid":
            raise
        return error.message
    return None


async def done_of(request: Request, answer: Mapping[str, Any], verb: str) -> str:
    """Return what became of a change: "same", "later", "saved", or "rejected". Waits until it is in use.

    ``verb`` answers whether it is, and what was rejected.
    """
    if not answer["diff"]:
        return "same"
    if not answer["applying"]:
        return "later"
    found = await restarted(request, verb)
    return "rejected" if found.get("rejected") else "saved"


async def _previewed(
    request: Request,
    schema: Mapping[str, Any],
    section: Mapping[str, Any],
    asked: Mapping[str, Any],
    password: str | None = None,
) -> Response:
    """Show the difference with a button that saves it. ``password``: it is asked for; not empty: why it is refused."""
    found = (await ask(request, "settings-preview", asked)).result
    if found["problems"]:
        return _form(request, schema, section, asked["texts"], _problems(found["problems"]))
    if not found["diff"]:
        return redirect(request, f"/settings/{section['name']}", done="settings-same")
    values = {
        "section": _shown(request, section),
        "asked": asked,
        "lines": [{"text": line, "kind": _LINES.get(line[:1], "same")} for line in found["diff"].splitlines()],
        "password": password,
        "in_file": schema["in_file"],
        "file": schema["file"],
    }
    return render(request, "settings_preview.html", values)


_LINES = {"+": "added", "-": "removed", "@": "place"}


def _form(
    request: Request,
    schema: Mapping[str, Any],
    section: Mapping[str, Any],
    texts: Mapping[str, str],
    problems: Mapping[str, str],
    status: int = 200,
) -> Response:
    """Show the form of ``section`` with what was typed, and the problems by their fields."""
    keys = {field["key"] for field in section["fields"]}
    fields = [
        {
            **field,
            "label": _label(field, language_of(request)),
            "limits": _limits(field, language_of(request)),
            "text": texts.get(field["key"], field["text"]),
            "error": problems.get(field["key"], ""),
        }
        for field in section["fields"]
    ]
    others = [f"{key}: {text}" for key, text in problems.items() if key not in keys]
    shown = {**_shown(request, section), "fields": fields}
    return render(request, "settings_section.html", {**schema, "section": shown, "others": others}, status=status)


def _label(field: Mapping[str, Any], _: Language) -> str:
    """Return the name of a setting for people: "Known cooldown"."""
    name = str(field["name"]).replace("_", " ").replace("%", "%%")
    return _(name[:1].upper() + name[1:])


def _limits(field: Mapping[str, Any], _: Language) -> str:
    low, high = ("" if field[end] is None else f"{field[end]:.6g}" for end in ("low", "high"))
    if low and high:
        return _("From %(low)s to %(high)s", low=low, high=high)
    if low:
        return _("More than %(low)s", low=low) if field["above"] else _("At least %(low)s", low=low)
    return ""


def _typed(section: Mapping[str, Any], form: FormData) -> tuple[dict[str, str], list[str]]:
    """Return the texts of the fields that can be changed, and the keys of those that get their defaults again."""
    texts = {}
    for field in section["fields"]:
        key = field["key"]
        if field["reason"] is not None or field["kind"] == "other":
            continue
        if field["kind"] == "switch":
            texts[key] = "true" if form.get(key) == "true" else "false"
        elif key in form:
            texts[key] = str(form[key])[:_LONGEST]
    known = {field["key"] for field in section["fields"]}
    return texts, [key for key in map(str, form.getlist("unset")) if key in known]


def _section(request: Request, sections: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    wanted = request.path_params["section"]
    found = next((section for section in sections if section["name"] == wanted), None)
    if found is None:
        raise HTTPException(404)
    return found


def _problems(found: Sequence[Mapping[str, str]]) -> dict[str, str]:
    texts: dict[str, list[str]] = {}
    for problem in found:
        texts.setdefault(problem["key"], []).append(problem["text"])
    return {key: "; ".join(each) for key, each in texts.items()}


def _shown(request: Request, section: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``section`` with its name for people; a plugin that does not describe itself has no help."""
    plain = "" if section["help"].startswith("[") else section["help"]
    return {**section, "title": _title(request, section), "help": plain}


def _title(request: Request, section: Mapping[str, Any]) -> str:
    """Return the name of a section for people."""
    _ = language_of(request)
    name, title = section["name"], section["title"]
    if name.startswith("camera"):
        camera = title.partition(": ")[2].removesuffix(" / health")
        if title.endswith(" / health"):
            return _("Faults of the camera: %(name)s", name=camera)
        return _("Camera: %(name)s", name=camera)
    if name.startswith("plugins-"):
        return _("Channel: %(name)s", name=title.removeprefix("plugins."))
    return _(_TITLES.get(name, title))


def _found(sections: Sequence[Mapping[str, Any]], words: Sequence[str], language: Language) -> Iterator[dict[str, Any]]:
    """Yield each setting whose name or description, in English or in ``language``, has all ``words``."""
    for section in sections:
        for number, field in enumerate(section["fields"], 1):
            label, said = _label(field, language), language.sentence(field["help"]) or ""
            text = f"{field['key']} {field['name'].replace('_', ' ')} {field['help']} {label} {said}".casefold()
            if all(word in text for word in words):
                yield {
                    **field,
                    "label": label,
                    "at": f"/settings/{section['name']}#f{number}",
                }


ROUTES = [
    Route("/settings", show),
    Route("/settings/state", state),
    Route("/settings/undo", undo, methods=["POST"]),
    Route("/settings/{section}", edit),
    Route("/settings/{section}", preview, methods=["POST"]),
    Route("/settings/{section}/save", save, methods=["POST"]),
]
