"""``facesecure people``: the enrolled people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output, serializers
from facesecure.cli.output import Json, examples, group
from facesecure.cli.people_assign import assign, known_at
from facesecure.cli.prompts import PassphraseFile, Yes, confirm, new_passphrase, passphrase
from facesecure.cli.settings import open_store, settings_of, state_of

if TYPE_CHECKING:
    from facesecure.domain.records import Template
    from facesecure.services.people import PersonDetails
    from facesecure.services.people_import import Added

app = group(
    "Enrolled people: list, show, rename, remove, export, import.",
    "facesecure people list",
    "facesecure people rename Ana Anna",
    "facesecure people export family.faces",
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The person; upper and lower case are the same.")]


@app.command("list", epilog=examples("facesecure people list", "facesecure people list --json"))
def list_people(context: typer.Context, json: Json = False) -> None:
    """List the enrolled people.

    If a classifier is in use, also the people it was trained on.
    """
    from facesecure.services.people import classifier_people

    config = settings_of(context).config()
    with open_store(config) as store:
        people = store.people()
    if json:
        classifier = classifier_people(config.recognizer, state_of(config))
        trained = {"classifier": {"model": classifier.model, "people": classifier.people}} if classifier else {}
        output.emit_json({"people": [serializers.person(person) for person in people], **trained})
        return
    if people:
        output.table(("name", "faces", "enrolled"), [(p.name, p.faces, p.created_at) for p in people], right=("faces",))
    if classifier := classifier_people(config.recognizer, state_of(config)):
        output.note(f"the classifier {classifier.model} is in use; it was trained on: {', '.join(classifier.people)}")
    elif not people:
        output.note("no one is enrolled yet; start with: facesecure enroll NAME --images PATH...")


@app.command("show", epilog=examples("facesecure people show Anna", "facesecure people show Anna --json"))
def show(context: typer.Context, name: Name, json: Json = False) -> None:
    """Show a person's faces and templates.

    With the quality of each face, and how similar other people are.
    """
    from facesecure.services.people import show_person

    config = settings_of(context).config()
    with open_store(config) as store:
        details = show_person(store, name)
    doors = known_at(config, details.person.uid)
    if json:
        output.emit_json(_document(details) | ({"doors": doors} if doors else {}))
        return
    _show(details)
    if doors:
        output.say(f"known at: {doors.words}")


def _document(details: PersonDetails) -> dict[str, Any]:
    return {
        **serializers.person(details.person),
        "faces": [serializers.enrolled_face(face) for face in details.faces],
        "templates": [
            {"faces": template.faces, "model_sha256": template.model_sha256, "made_at": template.made_at}
            for template in details.templates
        ],
        "closeness": [{"name": other, "closeness": cosine} for other, cosine in details.similarity],
    }


def _show(details: PersonDetails) -> None:
    person = details.person
    output.say(f"{person.name}, enrolled {output.local(person.created_at)} with {person.faces} faces")
    rows = [
        (f.identifier, f.source, f.quality.clarity, f"{f.quality.eye_distance:.0f} px", f.quality.sharpness, f.added_at)
        for f in details.faces
    ]
    right = ("face", "quality", "eyes", "sharpness")
    output.table(("face", "from", "quality", "eyes", "sharpness", "added"), rows, right=right)
    output.say(f"templates: {_templates(details.templates)}")
    if details.similarity:
        others = ", ".join(f"{other} {cosine:.2f}" for other, cosine in details.similarity)
        output.say(f"similarity of other people, 1 is the same: {others}")


def _templates(own: Sequence[Template]) -> str:
    counts = Counter(_count(template.faces, "face", "faces") for template in own)
    return "; ".join(f"{_count(number, 'mean', 'means')} of {faces}" for faces, number in counts.items())


@app.command("rename", epilog=examples("facesecure people rename Ana Anna"))
def rename(
    context: typer.Context,
    name: Name,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The new name.")],
    json: Json = False,
) -> None:
    """Rename a person, in past sightings too."""
    from facesecure.services.people import rename_person

    config = settings_of(context).config()
    with open_store(config) as store:
        person = rename_person(store, config, state_of(config), name, new)
    if json:
        output.emit_json(serializers.person(person))
    else:
        output.say(f"{name} is now called {person.name}")


@app.command("remove", epilog=examples("facesecure people remove Anna", "facesecure people remove Anna --face 12"))
def remove(
    context: typer.Context,
    name: Name,
    face: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Only this face; `facesecure people show` lists them.")
    ] = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Forget a person: their faces, templates and name. Sightings stay, without the name.

    With --face: remove only one of their enrolled faces.
    """
    from facesecure.services import people

    config = settings_of(context).config()
    with open_store(config) as store:
        people.require_person(store, name)  # before the question
        confirm(f"Forget {name}" if face is None else f"Remove face {face} of {name}", yes)
        if face is None:
            person = people.forget_person(store, config, state_of(config), name)
            removed = {"removed": person.name, "faces": person.faces}
        else:
            people.remove_face(store, name, face)
            removed = {"removed": None, "face": face}
    if json:
        output.emit_json(removed)
    else:
        output.say(f"{removed['removed']} is forgotten" if face is None else f"face {face} is removed")


@app.command(
    "export", epilog=examples("facesecure people export family.faces", "facesecure people export anna.faces Anna")
)
def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these people. Default: everyone enrolled.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Write people to an encrypted file.

    For another machine or as a backup. The file holds the face images they are enrolled with. Without the
    passphrase it cannot be read.
    """
    from facesecure.cli.files import replacing
    from facesecure.services.people import export_people

    with settings_of(context).store() as store, replacing(file, binary=True) as opened:
        written = export_people(store, opened, partial(new_passphrase, passphrase_file), names)
    if json:
        output.emit_json({"file": file, "people": [serializers.person(person) for person in written]})
    else:
        output.say(f"{_count(len(written), 'person', 'people')} written to {file}")


@app.command(
    "import", epilog=examples("facesecure people import family.faces", "facesecure people import old.zip --unencrypted")
)
def import_people(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `facesecure people export` wrote.")],
    passphrase_file: PassphraseFile = None,
    unencrypted: Annotated[
        bool,
        typer.Option("--unencrypted", help="Accept a file without a passphrase, which anyone may have written."),
    ] = False,
    json: Json = False,
) -> None:
    """Add the people of an exported file. Faces that are there already are skipped, so it can be repeated.

    Each face is judged as at enrolment. One that is not good enough, is no face, or does not look like the person's
    others is left out and listed.
    """
    from facesecure.cli.enroll import model_loader
    from facesecure.services.people import read_export
    from facesecure.services.people_import import import_people

    config = settings_of(context).config()
    arrivals = read_export(file, partial(passphrase, passphrase_file), unencrypted=unencrypted)
    with open_store(config) as store, output.progress(quiet=json) as progress:
        results = import_people(model_loader(config), store, arrivals, progress)
    output.emit_json({"people": results}) if json else _imported(results)
    if any(result.problem for result in results):
        raise typer.Exit(1)


app.command(
    "assign",
    epilog=examples(
        "facesecure people assign Anna --door garage --door gate",
        "facesecure people assign Anna --all",
        "facesecure people assign Anna --none --yes",
    ),
)(assign)


def _imported(results: Sequence[Added]) -> None:
    rows = [(result.name, result.added, result.known, len(result.left_out)) for result in results]
    columns = ("faces added", "there already", "left out")
    output.table(("name", *columns), rows, right=columns)
    for result in results:
        for face in result.left_out:
            output.note(f"{result.name}: a face of {face.source or 'the file'} is left out: {face.reason}")
        if result.problem:
            output.note(f"{result.name} is not imported: {result.problem}")


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
