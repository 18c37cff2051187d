"""The bench of the siamese network: nobody in two parts, options that exist, and a table of all stages."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.siamese import faces
from benchmarks.siamese.__main__ import main
from benchmarks.siamese.document import added, document_of
from benchmarks.siamese.plan import STAGES, USUAL, Budget, Clock, Shape, words_of
from benchmarks.siamese.stages import Bench, affordable, bundled_form
from benchmarks.siamese.table import page
from benchmarks.steps import Steps
from facesecure_training.common.cropping import Cropper
from facesecure_training.recipes.settings import DISCRIMINANT, DiscriminantSettings, SiameseSettings
from support.faces import PHOTOS
from support.training.tiny_networks import saved

SEARCHED = {"lr": 0.003, "margin": 1.4, "growth": 24, "blocks": "4,8,12,8", "size": 80, "schedule": "one-cycle"}


def picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 256, (14, 14, 3), np.uint8)
    cv2.imwrite(str(path), cv2.resize(small, (112, 112)))


@pytest.fixture
def sources(tmp_path) -> tuple[Path, Path]:
    """Ten people in either source, of whom two are in both; photo 7 is in both, and 24 repeats 3 of somebody else."""
    small, aligned = tmp_path / "small", tmp_path / "aligned"
    for number in range(20):
        picture(small / f"{number // 2}" / f"{number:06}.jpg-000000-0.png", number)
        picture(aligned / f"{8 + number // 2}" / f"{20 + number:06}.jpg", 20 + number)
    picture(aligned / "3" / "000007.jpg", 7)
    picture(aligned / "12" / "000028.jpg", 3)
    return small, aligned


def nobody() -> np.ndarray:
    return np.zeros((0, 192), np.float32)


def people_of(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def joined(sources, tmp_path, tested=nobody, seed=1):
    return faces.join(*sources, tested, tmp_path / "people", seed)


def test_nobody_is_in_two_parts_and_no_photo_is_there_twice(sources, tmp_path):
    found = joined(sources, tmp_path)
    parts = {part: people_of(tmp_path / "people" / part) for part in ("train", "validation", "test")}
    assert sum(map(len, parts.values())) == len(set.union(*parts.values())) == 18
    links = list((tmp_path / "people").glob("[tv][er][sa][tl]*/*/*"))
    assert found["in both"] == 1
    assert found["repeats"] == 1
    assert sum(one["photos"] for name, one in found["parts"].items() if name != "train-small") == 39
    assert all(link.resolve().is_file() for link in links)
    small = tmp_path / "people" / faces.PART_OF_ARTICLE
    assert people_of(small) <= parts["train"]
    assert all(link.name.endswith("-small.png") for link in small.glob("*/*"))


def test_the_division_follows_from_the_seed_and_is_not_made_again(sources, tmp_path):
    first = joined(sources, tmp_path)
    assert joined(sources, tmp_path, seed=2) == first, "it is there already"
    again = joined(sources, tmp_path / "again")
    other = joined(sources, tmp_path / "other", seed=2)
    assert again["sha256"] == first["sha256"] != other["sha256"]


def test_who_looks_like_somebody_tested_is_not_learnt_and_chooses_nothing(sources, tmp_path):
    from facesecure.recognition.embedder import ModelEmbedder
    from facesecure.vision.inference.model_card import load_model

    grace = Cropper().crop(PHOTOS / "grace_hopper.jpg")
    assert grace is not None
    for person in range(12):
        cv2.imwrite(str(sources[0] / f"{person % 10}" / f"9{person:05}.jpg-000000-0.png"), grace[:, :, ::-1] // 2)
    tested = ModelEmbedder(load_model("mobilefacenet")).embed(grace)[None]
    found = joined(sources, tmp_path, lambda: tested)
    assert found["people like one of the test"] <= 1, "she is there once: her other photos repeat the first"
    learnt = [path for part in ("train", "validation") for path in (tmp_path / "people" / part).glob("*/9*")]
    assert learnt == []


@pytest.mark.parametrize("name", STAGES)
def test_every_option_of_a_stage_is_one_of_its_command(name):
    for training in STAGES[name].trainings:
        settings = DiscriminantSettings if training.kind == DISCRIMINANT else SiameseSettings
        known = {f"--{field.name.replace('_', '-')}" for field in fields(settings)}
        words = words_of(training, SEARCHED, Budget(), 0)
        options = [word for word in words if str(word).startswith("--")]
        assert set(options) <= known
        assert len(options) == len(set(options)), "no option is given twice"


def test_what_a_training_gives_itself_counts():
    fresh = next(one for one in STAGES["mirrored"].trainings if one.name == "fresh")
    words = words_of(fresh, {}, Budget(), 0)
    given = {option: words[words.index(option) + 1] for option in ("--seed", "--views", "--batch", "--lr")}
    assert given == {"--seed": 1, "--views": 8, "--batch": 96, "--lr": 0.002}


def test_a_search_that_found_a_costlier_network_is_trained_for_fewer_epochs():
    (training,) = STAGES["mining"].trainings
    usual, costly = (words_of(training, found, Budget(), 0) for found in ({}, SEARCHED))
    epochs = [words[words.index("--epochs") + 1] for words in (usual, costly)]
    assert epochs[0] == training.epochs
    assert epochs[1] == max(2, round(training.epochs * Shape().cost / Shape("4,8,12,8", 24, 80).cost))
    (article,) = STAGES["article"].trainings
    assert "--margin" not in words_of(article, SEARCHED, Budget(), 0), "the article's is left as it is"


def test_a_network_too_large_for_the_time_is_not_taken_over():
    assert affordable({"growth": 24, "lr": 0.1})
    assert not affordable(SEARCHED)


def test_the_cost_of_the_papers_network_is_what_its_table_says():
    """2.9 thousand million multiplications at 224 pixels (Huang et al., table 2, without the dense layer)."""
    assert Shape("6,12,24,16", 32, 224).cost == pytest.approx(2850, rel=0.03)


def test_the_time_left_follows_the_pace_so_far():
    clock = Clock({"before": 7.0, "first": 10.0, "second": 20.0})
    assert clock.minutes == 37
    clock.done("before", 0.01)
    assert clock.minutes == 30, "what was done before tells nothing of the pace"
    clock.done("first", 5.0)
    assert clock.minutes == 10


MADE = {"command": "c", "seed": 0, "commit": "abc", "date": "2026-11-29", "machine": "m"}


def share(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


def verified(accuracy: float, pairs: int) -> dict:
    steps = [{"strength": 0.35, "accepted": accuracy / 100, "false_accepts": 0.02}]
    rates = {"auc": 0.9, "accepted": [{"tar": share(0.4)}]}
    said = {"accuracy": accuracy, "sd": 1.0, "pairs": pairs, "chosen": {"accuracy": share(0.8)}, "rates": rates}
    said["rule"] = {"accuracy": share(0.81)}
    return {"command": "verify", "seconds": 60, "cpu": 60, "said": {**said, "robustness": {"brightness": steps}}}


def stage(accuracy: float) -> dict:
    record = {"command": "c", "seconds": 60.0, "cpu": 90.0, "said": ""}
    form = {"form": "float16", "size": 1e6, "runtimes": {"litert": {"milliseconds": 2.0}}}
    unjudged = {"form": "edgetpu", "size": 9e5, "runtimes": {"litert": {"milliseconds": 1.0}}}
    forms = [form, {"form": "int8", "refused": "it drifts"}, unjudged]
    return {
        "train": [record], "export": {**record, "said": {"forms": forms}},
        "lfw": verified(accuracy, 3034), "others": verified(accuracy - 1, 2000),
    }  # fmt: skip


def ends_of(best: str, found: dict, openset: dict) -> dict:
    export = found[best]["export"]
    bundled = {"form": "mobilefacenet", "size": 5e6, "runtimes": {"litert": {"milliseconds": 4.0}}}
    return {
        "best": best, "validated": 0.97, "forms": export, "bundled": stage(99),
        "bundled form": bundled, "openset": openset, "whole numbers": None,
    }  # fmt: skip


def test_what_bears_as_much_as_the_bundled_network_is_named():
    found = {"distilled": stage(99)}
    points = [{"asked": 0.001, "named": {"value": 80.0}}]
    openset = {name: {"said": {"ways": {"ours": points}}} for name in ("distilled", "mobilefacenet")}
    summary = {"parts": {}, "in both": 1, "repeats": 2, "people like one of the test": 3, "sha256": "ab" * 32}
    document = document_of(found, ends_of("distilled", found, openset), summary, None, Path("/data"), MADE)
    lines = page(document)
    assert "It bears as much in: brightness (a third of the light)." in " ".join(lines)


def test_the_bundled_networks_size_and_time_are_measured():
    form = bundled_form()
    assert form["size"] > 1e6
    assert next(iter(form["runtimes"].values()))["milliseconds"] > 0


def test_the_section_has_a_row_for_each_stage_and_for_the_bundled_network():
    found = {name: stage(65 + 5 * number) for number, name in enumerate(USUAL)}
    points = [{"asked": 0.001, "named": {"value": 80.0}}]
    openset = {name: {"said": {"ways": {"ours": points}}} for name in ("distilled", "mobilefacenet")}
    ends = ends_of("distilled", found, openset)
    parts = {"train": {"people": 4000, "with two": 2000, "photos": 12000}}
    summary = {"parts": parts, "in both": 1, "repeats": 2, "people like one of the test": 3, "sha256": "ab" * 32}
    searched = {"command": "s", "seconds": 1, "cpu": 1, "finished": 3, "trials": 4, "value": 0.9, "settings": {"lr": 1}}
    document = document_of(found, ends, summary, searched, Path("/data"), MADE)
    lines = page(json.loads(json.dumps(document)))
    rows = [line for line in lines if line.startswith("| ")]
    assert all(any(row.startswith(f"| {STAGES[name].title} |") for row in rows) for name in USUAL)
    assert f'While "{STAGES[DISCRIMINANT].title}" was designed, LFW\'s figures were in view' in " ".join(lines)
    assert any(row.startswith("| distilled from the bundled network, no labels | 95.0 ± 1.0 %") for row in rows)
    assert any("90 % (2 %)" in row for row in rows)
    assert "| float16 | 1.00 MB | 2.00 ms | 95.0 ± 1.0 % |" in rows
    assert "| int8 | refused: it drifts | - | - |" in rows
    assert "| mobilefacenet | 5.00 MB | 4.00 ms | 99.0 ± 1.0 % |" in rows
    cost = "As float16 it has 20% of the bundled network's size, and takes 50% of its time. In no row"
    assert cost in " ".join(lines)
    assert (
        "- article as it stands: random pairs: the rule of 1 does as well as a threshold chosen on other people."
        in lines
    )
    assert any("The search finished 3 of 4 trials" in line for line in lines)
    unsearched = document_of(found, ends, summary, None, Path("/data"), MADE)
    assert not any("search" in line for line in page(unsearched))


def test_a_run_of_some_stages_adds_to_those_of_an_earlier_one():
    points = [{"asked": 0.001, "named": {"value": 80.0}}]
    summary = {"parts": {}, "in both": 1, "repeats": 2, "people like one of the test": 3, "sha256": "ab" * 32}
    searched = {"command": "s", "seconds": 1, "cpu": 1, "finished": 3, "trials": 4, "value": 0.9, "settings": {"lr": 1}}

    def run(date: str, validated: float, searched: dict | None, **accuracies: float) -> dict:
        found = {name: stage(accuracy) for name, accuracy in accuracies.items()}
        best = next(iter(found))
        openset = {name: {"said": {"ways": {"ours": points}}} for name in (best, "mobilefacenet")}
        ends = {**ends_of(best, found, openset), "validated": validated}
        return document_of(found, ends, summary, searched, Path("/data"), {**MADE, "date": date})

    earlier = run("2026-11-28", 0.98, searched, distilled=95.0, data=80.0)
    made = json.loads(json.dumps(added(json.loads(json.dumps(earlier)), run("2026-11-29", 0.9, None, data=82.0))))
    titles = [STAGES[name].title for name in ("data", "distilled")]
    assert list(made["stages"]) == [*titles, "bundled MobileFaceNet"]
    assert [made["stages"][title]["lfw"]["accuracy"] for title in titles] == [82.0, 95.0]
    assert [made["stages"][title]["about"]["date"] for title in titles] == ["2026-11-29", "2026-11-28"]
    assert made["door"]["best"] == STAGES["distilled"].title
    assert made["search"]["settings"] == {"lr": 1}
    assert made["charts"] == earlier["charts"]
    lines = page(made)
    assert sum(line.endswith("; m.") for line in lines) == 2
    others = {**summary, "sha256": "cd" * 32}
    assert list(added({**earlier, "people": others}, run("d", 0.9, None, data=82.0))["stages"]) == [
        STAGES["data"].title, "bundled MobileFaceNet",
    ]  # fmt: skip


@pytest.mark.parametrize(("only", "searches"), [(("full",), 0), (("article", "mining"), 1)])
def test_what_is_asked_for_is_run_and_written_and_a_search_only_where_it_is_needed(
    tmp_path, monkeypatch, capsys, only, searches
):
    calls = []
    searched = {"command": "s", "seconds": 1, "cpu": 1, "finished": 3, "trials": 4, "value": 0.9, "settings": {"lr": 1}}
    points = [{"asked": 0.001, "named": {"value": 80.0}}]
    summary = {"parts": {}, "in both": 1, "repeats": 2, "people like one of the test": 3, "sha256": "ab" * 32}

    def ends(self, found, best, validated):
        openset = {name: {"said": {"ways": {"ours": points}}} for name in (only[-1], "mobilefacenet")}
        return ends_of(only[-1], found, openset)

    monkeypatch.setattr(Bench, "extract", lambda self: tmp_path)
    monkeypatch.setattr(Bench, "search", lambda self: calls.append("search") or searched)
    monkeypatch.setattr(Bench, "stage", lambda self, one, settings: calls.append((one.title, settings)) or stage(80))
    monkeypatch.setattr(Bench, "_validated", lambda self, name: 0.9)
    monkeypatch.setattr(Bench, "beside_bundled", ends)
    monkeypatch.setattr(faces, "join", lambda *_: summary)
    results = tmp_path / "training" / "results"
    results.parent.mkdir()
    main(["--out", str(tmp_path / "out"), "--data", str(tmp_path), "--only", *only, "--results", str(results)])
    told = capsys.readouterr()
    assert calls.count("search") == searches
    assert calls[searches:] == [(STAGES[name].title, {"lr": 1} if searches else {}) for name in only]
    assert f"{only[0]}: about" in told.err
    document = json.loads((results / "siamese.json").read_text())
    assert list(document["stages"]) == [*(STAGES[name].title for name in only), "bundled MobileFaceNet"]
    assert "\n".join(page(document)).strip() in (tmp_path / "training" / "RESULTS.md").read_text()


@pytest.mark.parametrize(("validated", "door"), [(0.98, "classifier"), (0.96, "distilled")])
def test_what_is_no_better_than_an_earlier_run_is_not_measured_beside_the_bundled_network(
    tmp_path, monkeypatch, validated, door
):
    points = [{"asked": 0.001, "named": {"value": 80.0}}]
    summary = {"parts": {}, "in both": 1, "repeats": 2, "people like one of the test": 3, "sha256": "ab" * 32}
    measured = []

    def ends(self, found, name, area):
        measured.append(name)
        openset = {one: {"said": {"ways": {"ours": points}}} for one in (name, "mobilefacenet")}
        return {**ends_of(name, found, openset), "validated": area}

    monkeypatch.setattr(Bench, "extract", lambda self: tmp_path)
    monkeypatch.setattr(Bench, "search", lambda self: (_ for _ in ()).throw(AssertionError))
    monkeypatch.setattr(Bench, "stage", lambda self, one, settings: stage(80))
    monkeypatch.setattr(Bench, "beside_bundled", ends)
    monkeypatch.setattr(Bench, "_validated", lambda self, name: {"distilled": 0.97, "classifier": validated}[name])
    monkeypatch.setattr(faces, "join", lambda *_: summary)
    results = tmp_path / "training" / "results"
    results.parent.mkdir()
    for name in ("distilled", "classifier"):
        main(["--out", str(tmp_path), "--data", str(tmp_path), "--only", name, "--results", str(results)])
    found = json.loads((results / "siamese.json").read_text())
    assert measured == list(dict.fromkeys(["distilled", door]))
    assert found["door"]["best"] == STAGES[door].title
    assert list(found["stages"])[-1] == "bundled MobileFaceNet"


def test_ctrl_c_says_that_the_same_command_continues(tmp_path, monkeypatch):
    def stopped(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Bench, "extract", stopped)
    with pytest.raises(SystemExit, match="the same command continues"):
        main(["--out", str(tmp_path), "--data", str(tmp_path)])


@pytest.mark.tensorflow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_stage_with_mirror_images_is_compared_with_others_as_it_is_used(tmp_path):
    keras = pytest.importorskip("tensorflow", reason="needs the [training] extra").keras
    image = keras.Input((112, 112, 3), dtype="uint8")
    places = keras.layers.Flatten()(keras.layers.AveragePooling2D(8)(keras.layers.Rescaling(1 / 255, -0.5)(image)))
    run = tmp_path / "runs" / STAGES["mirrored"].run
    run.mkdir(parents=True)
    saved(keras.Model(image, keras.layers.UnitNormalization()(places)), run / "best.keras")
    (run / "curves.csv").write_text("epoch,val_auc\n1,0.5\n")
    for person in range(6):
        folder = tmp_path / "people" / "validation" / f"{person}"
        picture(folder / "face.png", person)
        cv2.imwrite(str(folder / "mirrored.png"), cv2.imread(str(folder / "face.png"))[:, ::-1])
    assert Bench(Steps(tmp_path), tmp_path, Budget().scaled(0.02), 0).best({"mirrored": {}}) == ("mirrored", 1.0)
