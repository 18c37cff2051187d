"""Nobody who is tested chose anything, and no photo is in two parts."""

import numpy as np
import pytest

from benchmarks.classifiers import clips, manifest
from benchmarks.classifiers.experiment import DIVISION_SEED
from benchmarks.classifiers.manifest import STRANGERS, UNKNOWN, Entry, Leak
from benchmarks.classifiers.people import HOUSEHOLD, divide_people
from benchmarks.classifiers.plan import Budget
from benchmarks.one_person import WHO
from facesecure.domain.errors import UsageError


def album(people: int = 400, able: int = 40) -> dict[str, list[str]]:
    """``able`` people with 20 photos, the others with one to three."""
    return {
        f"P{number:04}": [f"P{number:04}/{photo}.png" for photo in range(20 if number < able else 1 + number % 3)]
        for number in range(people)
    }


def divided(photos):
    return divide_people({name: len(some) for name, some in photos.items()}, seed=DIVISION_SEED)


@pytest.fixture(scope="module")
def photos():
    return album()


@pytest.fixture(scope="module", params=["made up", "lfw-dev"])
def people(request):
    """People and their photos: made up, and those of the real experiment."""
    if request.param == "made up":
        return album(2000)
    images = request.getfixturevalue("shared_data") / "lfw-dev/images"
    folders = [folder for folder in sorted(images.iterdir()) if folder.name != WHO]
    return {folder.name: [f"{folder.name}/{photo.name}" for photo in sorted(folder.iterdir())] for folder in folders}


def test_no_person_of_a_test_chose_settings_or_thresholds_or_was_learnt_as_unknown(people):
    division, budget = divided(people), Budget()
    chosen = {one.person for one in manifest.search_manifest(people, division, budget.search_others, DIVISION_SEED)}
    for household in range(budget.households):
        for others in budget.negatives:
            entries = manifest.manifest_of(people, division, household, others)
            tested = {one.person for one in entries if one.part in ("test", "strangers")}
            named = {one.person for one in entries if one.label in division.households[household]}
            learnt = {one.person for one in entries if one.part in ("train", "validation")}
            thresholds = {one.person for one in entries if one.part == "validation-strangers"}
            strangers = {one.person for one in entries if one.part == "strangers"}
            assert not tested & chosen
            assert not strangers & (learnt | thresholds | named)
            assert not thresholds & (learnt | named)
            assert len(named) == HOUSEHOLD
            assert len({one.person for one in entries if one.part == "train" and one.label == UNKNOWN}) == others


def test_no_photo_is_in_two_parts(people):
    entries = manifest.manifest_of(people, divided(people), 0, 100)
    assert len({one.photo for one in entries}) == len(entries)


def test_more_others_are_the_fewer_ones_and_more(photos):
    division = divided(photos)
    few, many = (
        {one.person for one in manifest.manifest_of(photos, division, 1, count) if one.label == UNKNOWN}
        for count in (10, 40)
    )
    assert few < many


def test_two_households_share_nobody(photos):
    division = divided(photos)
    everyone = [name for household in (division.searching, *division.households) for name in household]
    assert len(set(everyone)) == len(everyone) == 30


@pytest.mark.parametrize(
    ("added", "complaint"),
    [
        (Entry("train", UNKNOWN, "S", "S/2.png"), "S is in strangers and train"),
        (Entry("validation-strangers", "S", "S", "S/2.png"), "S is in strangers and validation-strangers"),
        (Entry("validation", "A", "A", "A/1.png"), "A/1.png is in train and validation"),
    ],
)
def test_a_leak_is_refused_by_name(added, complaint):
    entries = [Entry("train", "A", "A", "A/1.png"), Entry("strangers", "S", "S", "S/1.png")]
    manifest.require_no_leak(entries)
    with pytest.raises(Leak, match=complaint):
        manifest.require_no_leak([*entries, added])


def test_a_person_who_chose_the_settings_is_not_tested():
    one = [Entry("train", "A", "A", "A/1.png")]
    with pytest.raises(Leak, match="A chose the settings"):
        manifest.require_apart(one, [Entry("test", "A", "A", "A/2.png")])


def test_too_few_people_with_enough_photos_are_counted(photos):
    with pytest.raises(UsageError, match="10 people have 17 photos, and 6 households need 30"):
        divided(album(able=10))


def test_a_photo_that_nearly_repeats_another_is_left_out_whoever_it_shows():
    random = np.random.default_rng(1)
    first, other = (random.integers(-100, 100, 256).astype(np.int8) for _ in range(2))
    nearly = np.clip(first + random.integers(-9, 9, 256), -127, 127).astype(np.int8)
    assert manifest.without_repeats({"A/1": first, "B/1": other, "C/1": nearly}) == ["A/1", "B/1"]


def test_a_manifest_comes_back_as_it_was_written(photos, tmp_path):
    entries = manifest.manifest_of(photos, divided(photos), 0, 10)
    manifest.write(tmp_path / "one.csv", entries)
    assert manifest.read(tmp_path / "one.csv") == entries


def test_clips_split_by_frame_share_them_and_clips_split_by_clip_do_not(photos):
    entries = manifest.manifest_of(photos, divided(photos), 0, 20)

    def sources(split, part):
        return {one.photo.rpartition(".frame")[0] for one in split if one.part == part}

    whole, mixed = clips.by_clip(entries), clips.by_frame(entries)
    assert not sources(whole, "train") & sources(whole, "test")
    assert sources(mixed, "test") <= sources(mixed, "train")
    assert [one for one in whole if one.part == "test"] == [one for one in mixed if one.part == "test"]
    assert len([one for one in mixed if one.part == "train"]) == len([one for one in whole if one.part == "train"])
    assert {one.part for one in whole} == {"train", "validation", "test", *STRANGERS}
