"""The command line, run in this process on the test's state directory."""

import pytest

from facesecure.camera.synthetic.clip import enrolment_images
from facesecure.camera.synthetic.portraits import EILEEN_COLLINS
from support.service.commandline import CommandLine, own_settings, write_picture


@pytest.fixture
def state(tmp_path, monkeypatch):
    """The state directory of every command of the test; it does not exist yet."""
    return own_settings(tmp_path, monkeypatch)


@pytest.fixture
def facesecure(state, capfd):
    """``facesecure("people", "list")`` runs that command and returns its outcome."""
    return CommandLine(state, capfd)


@pytest.fixture
def store(state):
    from facesecure.storage.store import Store

    with Store.open(state) as store:
        yield store


@pytest.fixture(scope="session")
def album(tmp_path_factory):
    """A folder of six photos of Grace Hopper, and a text file."""
    folder = tmp_path_factory.mktemp("album")
    for number, image in enumerate(enrolment_images(6)):
        write_picture(folder / f"grace_{number}.png", image)
    (folder / "notes.txt").write_text("nothing to see")
    return folder


@pytest.fixture(scope="session")
def visitor(tmp_path_factory):
    """A photo of another person."""
    return write_picture(tmp_path_factory.mktemp("visitor") / "visitor.png", EILEEN_COLLINS.image())
