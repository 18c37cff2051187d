"""``facesecure archive rejudge``: a year's kept faces after a change of model."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from facesecure.domain import AlignedFace, SeenFace, Sighting, Verdict, VerdictKind
from facesecure.domain.records import EnrolledFace
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.services import rejudging
from facesecure.services.bulk.pool import ThisProcess
from facesecure.storage.store import Store
from facesecure.vision.images import align
from facesecure.vision.inference.model_card import load_model
from support.builders import quality
from support.faces import portrait
from support.lfw import detector
from support.store import STRANGER, known, sighting

OLD, NEW = "mobilefacenet-float16", "mobilefacenet"
NOON = datetime(2031, 5, 30, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def crops():
    """Two portraits, aligned."""
    found = {}
    for name in ("grace_hopper", "eileen_collins"):
        face = max(detector().detect(portrait(name)), key=lambda face: face.eye_distance)
        found[name] = align.crop(portrait(name), face.landmarks)
    return found


def visit(identifier: str, verdict: Verdict, crop: np.ndarray, embedder: ModelEmbedder, hours: int = 0) -> Sighting:
    """A visit with three kept faces, each a little brighter."""
    at = NOON + timedelta(hours=hours)
    images = [np.clip(crop.astype(int) + 6 * number, 0, 255).astype(np.uint8) for number in range(3)]
    faces = tuple(
        SeenFace(AlignedFace(image, quality()), embedder.embed(image), embedder.sha256, at + timedelta(seconds=number))
        for number, image in enumerate(images)
    )
    return replace(sighting(identifier, verdict, at), faces=faces)


@pytest.fixture
def archive(state, crops):
    """Grace is enrolled; three visits of the time of the old model: Grace, Eileen, and Grace told as a stranger."""
    old = ModelEmbedder(load_model(OLD))
    grace, eileen = crops["grace_hopper"], crops["eileen_collins"]
    with Store.open(state) as store:
        store.add_person("Grace", [EnrolledFace(grace, old.embed(grace), old.sha256, quality())])
        store.record(visit("a" * 32, known("Grace"), grace, old))
        store.record(visit("b" * 32, STRANGER, eileen, old, 1))
        store.record(visit("c" * 32, STRANGER, grace, old, 2))
    return state


def contents(state) -> list[str]:
    """All that the database contains."""
    with closing(sqlite3.connect(state / "facesecure.db")) as connection:
        return list(connection.iterdump())


def test_a_trial_says_which_visits_would_be_told_otherwise_and_keeps_nothing(facesecure, archive):
    with Store.open(archive) as store:
        store.corrections.not_known("b" * 32, None, lambda *_: None)
    before = contents(archive)
    found = facesecure("archive", "rejudge", "--json").json
    assert (found["visits"], found["faces"], found["outdated"], found["kept"]) == (3, 9, 9, 0)
    (change,) = found["changes"]
    assert (change["identifier"], change["told"], change["now"]["name"]) == (
        "c" * 32, {"kind": "stranger", "name": None}, "Grace",
    )  # fmt: skip
    shown = facesecure("archive", "rejudge")
    assert "1 visits would be told otherwise today" in shown.out
    assert "nothing is changed; --apply keeps the new embeddings" in shown.out
    assert contents(archive) == before


def test_applied_it_keeps_the_embeddings_and_not_the_verdicts(facesecure, archive, crops):
    new = ModelEmbedder(load_model(NEW))
    assert facesecure("archive", "rejudge", "--apply", "--json").json["kept"] == 9
    with Store.open(archive) as store:
        assert store.sighting("c" * 32).kind is VerdictKind.STRANGER
        faces = store.faces_seen("b" * 32)
        assert {face.seen.model_sha256 for face in faces} == {new.sha256}
        assert all(np.array_equal(face.seen.embedding, new.embed(face.seen.face.image)) for face in faces)
    again = facesecure("archive", "rejudge", "--apply", "--json").json
    assert (again["outdated"], again["kept"], len(again["changes"])) == (0, 0, 1)


def test_interrupted_it_keeps_what_was_done_and_does_the_rest_the_next_time(archive, monkeypatch):
    from facesecure.config import FacesecureConfig

    class CutOff(ThisProcess):
        """This process, until somebody presses Ctrl-C after the second visit."""

        def map(self, work, task, items, chunk=1):
            for count, outcome in enumerate(super().map(work, task, items, chunk), 1):
                if count == 3:
                    raise KeyboardInterrupt
                yield outcome

    config = FacesecureConfig()
    with Store.open(archive) as store:
        with pytest.raises(KeyboardInterrupt):
            rejudging.rejudge(config, store, CutOff(), apply=True)
        rest = rejudging.rejudge(config, store, ThisProcess(), apply=True)
    assert (rest.faces, rest.outdated, rest.kept, len(rest.changes)) == (9, 3, 3, 1)


def test_visits_that_began_at_once_come_in_the_same_order_whoever_is_done_first(state, crops):
    from facesecure.config import FacesecureConfig

    class Backwards(ThisProcess):
        """This process, which finishes the last item first and loses the others, as several may."""

        def map(self, work, task, items, chunk=1):
            outcomes = list(super().map(work, task, items, chunk))[::-1]
            yield from (replace(one, result=None) if one.item.key[0] in "de" else one for one in outcomes)

    old = ModelEmbedder(load_model(OLD))
    with Store.open(state) as store:
        store.add_person(
            "Grace", [EnrolledFace(crops["grace_hopper"], old.embed(crops["grace_hopper"]), old.sha256, quality())]
        )
        for name in "abcde":
            store.record(visit(name * 32, STRANGER, crops["grace_hopper"], old))
        found = rejudging.rejudge(FacesecureConfig(), store, Backwards())
    assert [change.sighting.identifier[0] for change in found.changes] == ["a", "b", "c"]
    assert [identifier[0] for identifier in found.lost] == ["d", "e"]


def test_marked_strangers_count_again_after_it(facesecure, archive):
    new = load_model(NEW).sha256
    with Store.open(archive) as store:
        store.corrections.not_known("a" * 32, "Grace", lambda *_: None)
        assert store.marked_strangers(new).shape == (0, 0)
    assert facesecure("archive", "rejudge", "--apply", "--json").json["marked"] == 3
    with Store.open(archive) as store:
        assert store.marked_strangers(new).shape == (3, 192)
        assert len(store.hard_negatives(new)) == 1


@pytest.mark.parametrize("words", [(), ("--apply",)])
def test_marked_strangers_are_judged_as_such_at_once(facesecure, state, crops, words):
    """Somebody looks like Grace, whose photo is tilted, and was said not to be her."""
    old, lookalike = ModelEmbedder(load_model(OLD)), crops["grace_hopper"]
    tilted = cv2.warpAffine(lookalike, cv2.getRotationMatrix2D((56, 56), 15, 1), (112, 112))
    with Store.open(state) as store:
        store.add_person("Grace", [EnrolledFace(tilted, old.embed(tilted), old.sha256, quality())])
        store.record(visit("a" * 32, known("Grace"), lookalike, old))
        assert facesecure("archive", "rejudge", "--json").json["changes"] == []
        store.corrections.not_known("a" * 32, "Grace", lambda *_: None)
    found = facesecure("archive", "rejudge", *words, "--json").json
    assert (found["changes"], found["marked"]) == ([], 3 if words else 0)


def test_only_the_visits_asked_for_are_judged(facesecure, archive):
    assert facesecure("archive", "rejudge", "--since", "2031-05-30T13:30+00:00", "--json").json["visits"] == 1


@pytest.mark.slow
def test_two_processes_keep_the_bytes_of_one(facesecure, archive):
    pytest.importorskip("distributed", reason="needs the [cluster] extra")
    alone = facesecure("archive", "rejudge", "--json").json
    together = facesecure("archive", "rejudge", "--workers", "2", "--apply", "--json").json
    assert together["changes"] == alone["changes"]
    new = ModelEmbedder(load_model(NEW))
    with Store.open(archive) as store:
        for name in "abc":
            for face in store.faces_seen(name * 32):
                assert np.array_equal(face.seen.embedding, new.embed(face.seen.face.image))


def test_a_classifier_is_refused(facesecure, archive, tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('[recognizer]\nkind = "classifier"\nmodel = "door"\n')
    refused = facesecure("--config", file, "archive", "rejudge")
    assert refused.code == 2
    assert "a classifier names people" in refused.err
