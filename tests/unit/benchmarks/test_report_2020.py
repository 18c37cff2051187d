"""The whole experiment of the report, on a few people: from photos to the page, stopped and continued."""

import json
import shutil
from functools import partial

import pytest

from benchmarks import one_person, report_2020, training_page
from benchmarks.classifiers import manifest, plan
from benchmarks.one_person import WHO

pytest.importorskip("tensorflow", reason="needs the [training] extra")
pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

MEMBERS, PEOPLE, LEAST = 10, 110, 17


@pytest.fixture(scope="module")
def data(shared_data, tmp_path_factory):
    """A small lfw-dev: the report's person, ten who can be members, and many others, with at most 20 photos each."""
    images = shared_data / "lfw-dev/images"
    few = tmp_path_factory.mktemp("data") / "lfw-dev/images"
    folders = sorted(folder for folder in images.iterdir() if folder.is_dir())
    photos = {folder.name: sorted(folder.glob("*.jpg")) for folder in folders}
    able = [name for name, some in photos.items() if len(some) > LEAST + 3 and name != WHO][:MEMBERS]
    others = [name for name, some in photos.items() if 2 <= len(some) <= 4][:PEOPLE]
    for name in (WHO, *able, *others):
        (few / name).mkdir(parents=True)
        for photo in photos[name][:24]:
            shutil.copy(photo, few / name / photo.name)
    return few.parents[1]


@pytest.fixture(scope="module")
def cnn_alone():
    """Only the smallest network, so that this takes a minute and not ten."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("hugonet", "compact head"):
            patch.delitem(plan.FAMILIES, name)
        for name in ("hugonet", "compact, head"):
            patch.delitem(one_person.KINDS, name)
        patch.setattr(one_person, "LEARNT_OTHERS", 30)
        short = partial(plan.Budget, trial_epochs=(4, 6), trial_rates=(5e-4, 2e-3))
        patch.setattr(report_2020, "Budget", short)
        patch.setitem(
            one_person.KINDS, "compact, cnn", ("compact", "aligned", "float16", ("--kind", "cnn"), "compact cnn")
        )
        yield


@pytest.fixture(scope="module")
def made(data, cnn_alone, tmp_path_factory):
    """The results of a run."""
    root = tmp_path_factory.mktemp("run")
    words = ["--data", data, "--out", root / "out", "--results", root / "training/results", "--households", "1"]
    words += ["--negatives", "4", "6", "--trials", "2", "--epochs", "4", "--variants", "1", "--full-epochs", "3"]
    words += ["--least", LEAST]
    report_2020.main([str(word) for word in words])
    return root, words


def test_every_share_has_its_interval_and_every_claim_its_command_seed_and_commit(made):
    root, _ = made
    document = json.loads((root / "training/results/report.json").read_text())
    for row in document["table"]["compact cnn"].values():
        for share in row.values():
            assert 0 <= share["low"] <= share["value"] <= share["high"] <= 1
    assert set(document["about"]) == {"command", "seed", "commit", "date", "machine"}
    assert "$DATA" in document["about"]["command"]
    assert document["search"]["compact cnn"]["settings"].keys() == {"lr", "batch", "augment", "strength", "width"}


def test_the_page_is_what_its_results_say_and_nothing_else(made):
    root, _ = made
    results = root / "training/results"
    page = (root / "training/RESULTS.md").read_text()
    assert training_page.page(results, page) == page
    for heading in ("for a household of five", "in its own setting", "What more other people bring", "Low light"):
        assert heading in page
    assert (results / "report-negatives.png").stat().st_size > 5000
    assert str(root) not in page


def test_the_manifests_on_the_disk_leak_nothing(made):
    root, _ = made
    found = [manifest.read(path) for path in sorted((root / "out/manifests").glob("*.csv"))]
    assert len(found) == 4
    for entries in found:
        manifest.require_no_leak(entries)


def test_run_again_it_trains_nothing_and_finds_the_same(made, capfd):
    root, words = made
    before = (root / "training/results/report.json").read_text()
    report_2020.main([str(word) for word in words])
    assert "$ facesecure-train" not in capfd.readouterr().err
    after = json.loads((root / "training/results/report.json").read_text())
    assert {**json.loads(before), "about": 0} == {**after, "about": 0}
