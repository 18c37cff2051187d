"""The models that an enrolment on the page uses."""

import threading
import time

import pytest

from facesecure.app.web_api import spare_models
from facesecure.app.web_api.spare_models import SpareModels
from facesecure.config import FacesecureConfig
from facesecure.domain.errors import BusyError, ModelError
from facesecure.services.model_stack import ModelStack


class Loads:
    """How often models were loaded."""

    def __init__(self, folder):
        self.count, self._folder = 0, folder

    def __call__(self):
        self.count += 1
        return ModelStack.load(FacesecureConfig(), self._folder)


@pytest.fixture
def loads(tmp_path) -> Loads:
    return Loads(tmp_path)


def test_nothing_is_loaded_before_it_is_needed_and_then_once(loads):
    spare = SpareModels(loads)
    assert loads.count == 0
    with spare.lend() as first:
        pass
    with spare.lend() as second:
        assert second is first
    assert loads.count == 1
    spare.close()


def test_they_are_freed_when_nobody_has_asked_for_a_while(loads):
    spare = SpareModels(loads, seconds=1.0)
    with spare.lend():
        time.sleep(1.3)  # not while they are lent
    with spare.lend():
        assert loads.count == 1
    deadline = time.monotonic() + 60
    while spare._models is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert spare._models is None
    with spare.lend():
        assert loads.count == 2
    spare.close()


def test_one_thread_has_them_at_a_time(loads, monkeypatch):
    monkeypatch.setattr(spare_models, "_WAIT_SECONDS", 0.1)
    spare = SpareModels(loads)
    refused = []

    def ask():
        with pytest.raises(BusyError), spare.lend():
            pass
        refused.append(True)

    with spare.lend():
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(60)
    assert refused == [True]
    with spare.lend():
        pass
    spare.close()


def test_a_model_that_cannot_be_loaded_is_tried_again():
    def load():
        raise ModelError("the model is damaged")

    spare = SpareModels(load)
    for _ in range(2):
        with pytest.raises(ModelError), spare.lend():
            pass
    spare.close()
