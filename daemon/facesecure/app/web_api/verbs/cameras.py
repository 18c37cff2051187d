"""Add a camera: a picture of it first, then the settings.

Only owners, soon after they gave the password. A camera is wherever its address says: whoever adds one makes this
machine connect there, so the address is that of a camera only, each trial is recorded, and there is one at a time.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from facesecure.app.changes import Topic
from facesecure.app.web_api.missing import invalid
from facesecure.app.web_api.verb import Answer, Arguments, Call, Nothing, Verb
from facesecure.app.web_api.verbs.settings import Revision, access_of, problems_of, saved
from facesecure.config.secrets import learn_secrets
from facesecure.config.toml_lines import KeyPath
from facesecure.domain.accounts import Role
from facesecure.domain.errors import SourceError
from facesecure.services import audit, settings_file
from facesecure.services.settings_file import Settings, SettingsRefused
from facesecure.services.settings_values import masked
from facesecure.util.redaction import redact
from facesecure.vision.images.codec import preview_jpeg

_WIDTH = 640
Uri = Annotated[str, Field(max_length=1000, repr=False)]


class NewCamera(Arguments):
    """A camera as it was typed; ``detect``: its second, smaller stream, if it has one."""

    name: str = Field(max_length=200)
    source: Uri
    detect: Uri = ""
    transport: Literal["tcp", "udp"] = "tcp"

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings that differ from the defaults."""
        typed = {"name": " ".join(self.name.split()), "source": self.source.strip(), "detect": self.detect.strip()}
        chosen = {} if self.transport == "tcp" else {"transport": self.transport}
        return {key: text for key, text in typed.items() if text or key != "detect"} | chosen


class Tried(Arguments):
    """The camera that was tried, and the settings that the page showed."""

    trial: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    revision: Revision


def begin(call: Call[Nothing]) -> Answer:
    """Return that a camera can be added: this is asked for the password, before an address is typed."""
    access_of(call)
    return Answer({})


def try_out(call: Call[NewCamera]) -> Answer:
    """Return a picture of the camera, and what would change; or what is wrong. Nothing is added."""
    camera, place = call.arguments.settings, access_of(call).place
    learn_secrets(camera)
    now = settings_file.read(place)
    nothing: dict[str, Any] = {"problems": [], "failure": None, "trial": None, "diff": "", "revision": now.revision}
    try:
        change = settings_file.preview(place, {_path(now): camera})
    except SettingsRefused as error:
        problems = [{**one, "key": one["key"].rpartition(".")[2]} for one in problems_of(error)]
        return Answer({**nothing, "problems": problems, "typed": masked(camera)})
    addresses = [redact(camera[key]) for key in ("source", "detect") if key in camera]
    audit.record(call.parts.state_dir, "camera-tried", *addresses)
    try:
        trial, image = call.parts.trials.try_out(call.session.identifier, camera)
    except SourceError as error:
        failure = {"message": error.message, "hint": error.hint}
        return Answer({**nothing, "failure": failure, "typed": masked(camera)})
    height, width = image.shape[:2]
    found = {"trial": trial, "diff": change.diff, "size": [width, height], "typed": masked(camera)}
    return Answer({**nothing, **found}, preview_jpeg(image, _WIDTH))


def add(call: Call[Tried]) -> Answer:
    """Add the camera that was tried, and have the daemon use it."""
    asked, place = call.arguments, access_of(call).place
    with invalid("trial"):
        camera = call.parts.trials.tried(call.session.identifier, asked.trial)
    try:
        answer = saved(call, {_path(settings_file.read(place)): camera}, asked.revision)
    except SettingsRefused as error:
        return Answer({"problems": problems_of(error), "diff": "", "names": [], "applying": False})
    audit.record(call.parts.state_dir, "camera-added", camera["name"], redact(camera["source"]))
    return Answer(answer)


def _path(settings: Settings) -> KeyPath:
    """Return the place of a further camera."""
    cameras = settings.file.tables.get("cameras")
    return ("cameras", len(cameras) if isinstance(cameras, list) and cameras else 1)


VERBS = (
    Verb("camera-new", Role.OWNER, Nothing, begin, confirmed=True),
    Verb("camera-try", Role.OWNER, NewCamera, try_out, confirmed=True, waits=True),
    Verb("camera-add", Role.OWNER, Tried, add, confirmed=True, changes=(Topic.SETTINGS,)),
)
