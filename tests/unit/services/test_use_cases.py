"""The use cases as any front end calls them."""

import subprocess
import sys
from functools import partial

import pytest

from facesecure.alerts.speech.synthesizer import SpeechService
from facesecure.camera.synthetic.clip import enrolment_images
from facesecure.config import FacesecureConfig
from facesecure.domain.errors import PluginError, UsageError
from facesecure.services import people
from facesecure.services.alert_plugins import send_test_alert
from facesecure.services.calibration import calibrate, load_calibrated_model
from facesecure.services.enrolment import EnrolmentRefused, enrol_from_images
from facesecure.services.identification import identify_photos
from facesecure.services.image_providers import image_provider
from facesecure.services.model_stack import ModelStack
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.storage.store import Store
from support.service.commandline import write_picture

CONFIG = FacesecureConfig.model_validate({"speech": {"voices": ["fake"]}})


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    return [write_picture(folder / f"{n}.png", image) for n, image in enumerate(enrolment_images(6))]


@pytest.fixture
def state_dir(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def store(state_dir):
    with Store.open(state_dir) as store:
        yield store


@pytest.fixture
def load_models(state_dir):
    return partial(ModelStack.load, CONFIG, state_dir)


def photos_of(paths):
    return image_provider(CONFIG.camera, paths, None, None)


def test_services_know_no_front_end():
    script = (
        "import importlib, pkgutil, sys, facesecure.services as services\n"
        "for module in pkgutil.walk_packages(services.__path__, 'facesecure.services.'):\n"
        "    importlib.import_module(module.name)\n"
        "print([name for name in ('typer', 'rich', 'facesecure.cli') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_an_enrolment_reports_progress_and_returns_each_image(load_models, store, photos):
    steps = []
    result = enrol_from_images(load_models, store, " Grace  H ", photos_of(photos), lambda *step: steps.append(step))
    assert result.person.name == "Grace H"
    assert len(result.candidates) == len(result.accepted) + len(result.refused) == 6
    assert steps[0] == ("reading photos", 0, 6)
    assert steps[-1] == ("reading photos", 6, 6)
    assert [person.name for person in store.people()] == ["Grace H"]


def test_a_refused_enrolment_stores_nothing_and_carries_the_reasons(load_models, store, photos):
    with pytest.raises(EnrolmentRefused, match="only 1 good face") as caught:
        enrol_from_images(load_models, store, "Grace", photos_of(photos[:1]))
    assert caught.value.result.person is None
    assert [candidate.accepted for candidate in caught.value.result.candidates] == [True]
    assert store.people() == []


def test_an_impossible_name_is_refused_before_models_are_loaded(store, photos):
    with pytest.raises(UsageError):
        enrol_from_images(lambda: pytest.fail("loaded"), store, "a/b", photos_of(photos))


def test_forgetting_a_person_removes_them_from_the_calibration_and_the_recordings(
    load_models, store, state_dir, photos
):
    enrol_from_images(load_models, store, "Grace", photos_of(photos))
    calibrate(store, load_calibrated_model(CONFIG, state_dir), 0.001).save(SignedDocuments(state_dir))
    with SpeechService(CONFIG.speech, state_dir) as speech:
        recording = speech.recording("Grace is at the front door")
    people.forget_person(store, CONFIG, state_dir, "grace")
    assert not recording.exists()
    assert "Grace" not in (state_dir / "calibration.json").read_text()
    assert store.people() == []


def test_a_face_of_another_person_is_not_removed(load_models, store, photos):
    enrol_from_images(load_models, store, "Grace", photos_of(photos))
    with pytest.raises(UsageError, match="no face number 99"):
        people.remove_face(store, "Grace", 99)


def test_photos_are_identified_and_those_that_cannot_be_read_say_why(load_models, store, state_dir, photos, tmp_path):
    enrol_from_images(load_models, store, "Grace", photos_of(photos[:5]))
    identifier = load_models().identifier(CONFIG, store, state_dir, single_image=True)
    good, missing = identify_photos(identifier, [photos[5], tmp_path / "missing.jpg"])
    assert (good.faces[0].verdict.name, good.error) == ("Grace", None)
    assert missing.faces == ()
    assert "missing.jpg" in missing.error


def test_a_plugin_that_is_not_configured_cannot_be_tried(state_dir):
    config = FacesecureConfig.model_validate({"speech": {"voices": ["fake"]}})
    with SpeechService(config.speech, state_dir) as speech, pytest.raises(PluginError, match="cannot be tried"):
        send_test_alert("webhook", config, state_dir, speech)
