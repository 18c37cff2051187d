"""``facesecure people``: who is enrolled."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output, serializers
from facesecure.cli.output import Json, examples, group
from facesecure.cli.prompts import PassphraseFile, new_passphrase, passphrase
from facesecure.cli.settings import open_store, settings_of, state_of

if TYPE_CHECKING:
    from facesecure.config import FacesecureConfig
    from facesecure.domain.records import EnrolledFace, Person, Template
    from facesecure.storage.store import Store

app = group(
    "Who is enrolled: list, show, rename, remove, export, import.",
    "facesecure people list",
    "facesecure people rename Ana Anna",
    "facesecure people export family.faces",
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The person; case does not count.")]


@app.command("list", epilog=examples("facesecure people list", "facesecure people list --json"))
def list_people(context: typer.Context, json: Json = False) -> None:
    """List everybody enrolled, by name; with a classifier also whom that knows."""
    config = settings_of(context).config()
    with open_store(config) as store:
        people = store.people()
    if json:
        output.emit_json({"people": [serializers.person(person) for person in people], **_classifier(config)})
        return
    if people:
        output.table(("name", "faces", "enrolled"), [(p.name, p.faces, p.created_at) for p in people], right=("faces",))
    if learnt := _classifier(config).get("classifier"):
        output.note(f"in use is the classifier {learnt['model']}, which learnt: {', '.join(learnt['people'])}")
    elif not people:
        output.note("nobody is enrolled yet; begin with: facesecure enroll NAME --images PATH...")


def _classifier(config: FacesecureConfig) -> dict[str, Any]:
    """The classifier in use and whom it knows; nothing where it is embeddings that people are told by."""
    if config.recognizer.kind == "embedding":
        return {}
    from facesecure.recognition.classifier import names_of
    from facesecure.vision.inference.model_card import load_card

    card = load_card(config.recognizer.model, state_of(config))
    return {"classifier": {"model": card.name, "people": list(names_of(card))}}


@app.command("show", epilog=examples("facesecure people show Anna", "facesecure people show Anna --json"))
def show(context: typer.Context, name: Name, json: Json = False) -> None:
    """Show the pictures a person is known by, how good they are, what was made of them, and who looks alike."""
    with open_store(settings_of(context).config()) as store:
        portrait = _portrait(store, name)
    if json:
        output.emit_json(portrait.document())
    else:
        _show(portrait)


@dataclass(frozen=True, slots=True)
class _Portrait:
    """What is kept of a person: the faces, the templates made of them, and how close others come to those."""

    person: Person
    faces: Sequence[EnrolledFace]
    templates: Sequence[Template]
    alike: Sequence[tuple[str, float]]

    def document(self) -> dict[str, Any]:
        return {
            **serializers.person(self.person),
            "faces": [serializers.enrolled_face(face) for face in self.faces],
            "templates": [
                {"faces": one.faces, "model_sha256": one.model_sha256, "made_at": one.made_at} for one in self.templates
            ],
            "closeness": [{"name": other, "closeness": value} for other, value in self.alike],
        }


def _portrait(store: Store, name: str) -> _Portrait:
    """Of whom ``name`` calls. Raises UsageError where nobody is called that."""
    from facesecure.domain.names import name_key

    faces, templates = store.faces_of(name), store.templates()
    person = next(person for person in store.people() if name_key(person.name) == name_key(name))
    own = [template for template in templates if template.name == person.name]
    return _Portrait(person, faces, own, _closeness(templates, own))


def _show(portrait: _Portrait) -> None:
    person = portrait.person
    output.say(f"{person.name}, enrolled {output.local(person.created_at)}, known by {person.faces} faces")
    rows = [
        (f.identifier, f.source, f.quality.clarity, f"{f.quality.eye_distance:.0f} px", f.quality.sharpness, f.added_at)
        for f in portrait.faces
    ]
    right = ("face", "quality", "eyes", "sharpness")
    output.table(("face", "from", "quality", "eyes", "sharpness", "added"), rows, right=right)
    output.say(f"compared by {_templates(portrait.templates)}")
    if portrait.alike:
        others = ", ".join(f"{other} {value:.2f}" for other, value in portrait.alike)
        output.say(f"how alike others look, 1 the same: {others}")


def _templates(own: Sequence[Template]) -> str:
    alike = Counter(_count(one.faces, "face", "faces") for one in own)
    return "; ".join(f"{_count(number, 'mean', 'means')} of {faces}" for faces, number in alike.items())


def _closeness(templates: Sequence[Template], own: Sequence[Template]) -> list[tuple[str, float]]:
    """How close everybody else's templates come, the closest first; only those of one model compare."""
    nearest: dict[str, float] = {}
    for template in templates:
        for mine in own:
            if template.name != mine.name and template.model_sha256 == mine.model_sha256:
                cosine = float(template.embedding @ mine.embedding)
                nearest[template.name] = max(cosine, nearest.get(template.name, -1.0))
    return sorted(nearest.items(), key=lambda item: (-item[1], item[0]))


@app.command("rename", epilog=examples("facesecure people rename Ana Anna"))
def rename(
    context: typer.Context,
    name: Name,
    new: Annotated[str, typer.Argument(metavar="NEW", help="What to call the person from now on.")],
    json: Json = False,
) -> None:
    """Give a person another name, in past sightings too."""
    with settings_of(context).store() as store:
        person = store.rename_person(name, new)
        _forget_recordings(context, store)
    if json:
        output.emit_json(serializers.person(person))
    else:
        output.say(f"{name} is now called {person.name}")


@app.command("remove", epilog=examples("facesecure people remove Anna", "facesecure people remove Anna --face 12"))
def remove(
    context: typer.Context,
    name: Name,
    face: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Only this picture; people show lists them.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Forget a person: every picture, what was learnt from them, their name. That somebody came stays.

    With --face: only one of the pictures they are known by.
    """
    from facesecure.recognition import calibration

    with settings_of(context).store() as store:
        faces = store.face_numbers(name)  # says so where there is nobody of that name, before anything is asked
        _confirm(f"Forget {name}" if face is None else f"Remove face {face} of {name}", yes or json)
        if face is None:
            person = store.remove_person(name)
            calibration.forget(settings_of(context).state(), person.name)
            _forget_recordings(context, store)
            removed = {"removed": person.name, "faces": person.faces}
        else:
            _require_owned(face, name, faces)
            store.remove_face(face)
            removed = {"removed": None, "face": face}
    if json:
        output.emit_json(removed)
    else:
        output.say(f"{removed['removed']} is forgotten" if face is None else f"face {face} is removed")


def _forget_recordings(context: typer.Context, store: Store) -> None:
    """Leave no recording that says a name nobody has any more; what the others need is made again if it went too."""
    from facesecure.alerts.speech.announcements import forget_all_but
    from facesecure.services.people import known_names

    config, state = settings_of(context).config(), settings_of(context).state()
    forget_all_but(config, state, known_names(config.recognizer, state, (person.name for person in store.people())))


def _require_owned(face: int, name: str, owned: list[int]) -> None:
    from facesecure.domain.errors import UsageError

    if face not in owned:
        raise UsageError(f"{name} has no face number {face}", f"facesecure people show {name!r} lists them")


def _confirm(question: str, agreed: bool) -> None:
    """Ask where there is somebody to ask."""
    if not agreed and sys.stdin.isatty() and sys.stderr.isatty():
        typer.confirm(f"{question}?", abort=True, err=True)


@app.command(
    "export", epilog=examples("facesecure people export family.faces", "facesecure people export anna.faces Anna")
)
def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these; default: everybody.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Write people to one file under a passphrase, for another machine or as a copy to keep.

    The file holds the pictures they are known by. Without the passphrase nobody can read it, nor can you.
    """
    from facesecure.cli.files import replacing
    from facesecure.storage.archive import write_people

    with settings_of(context).store() as store, replacing(file, binary=True) as opened:
        written = write_people(store, opened, partial(new_passphrase, passphrase_file), names)
    if json:
        output.emit_json({"file": file, "people": [serializers.person(person) for person in written]})
    else:
        output.say(f"{_count(len(written), 'person', 'people')} written to {file}")


@app.command("import", epilog=examples("facesecure people import family.faces"))
def import_people(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `people export` wrote.")],
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Add the people of an exported file. Pictures that are there already are left out, so it may be repeated."""
    from facesecure.storage.archive import add_people, read_people

    arrivals = read_people(file, partial(passphrase, passphrase_file))
    with settings_of(context).store() as store:
        results = add_people(store, arrivals)
    if json:
        output.emit_json({"people": results})
        return
    rows = [(result.name, result.added, result.known) for result in results]
    output.table(("name", "faces added", "there already"), rows, right=("faces added", "there already"))


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
