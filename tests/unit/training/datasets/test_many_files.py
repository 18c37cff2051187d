"""Of many files and people, little is in memory, and what comes out is the same as if all were."""

import random
import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest

from facesecure.camera.sources.images import natural_key
from facesecure_training.datasets import manifest, pairs
from facesecure_training.datasets.catalogue import Catalogue
from facesecure_training.datasets.manifest import schema
from facesecure_training.datasets.natural_order import in_natural_order, key_of

THIRDS = {"train": 0.5, "validation": 0.25, "test": 0.25}


def people_of(count):
    """Two photos each of ``count`` people."""
    for number in range(count):
        name = f"Person_Number_{number:06}"
        for photo in range(2):
            yield name, number, f"{name}/{photo}.jpg", f"{name}/{photo}.jpg"


def drawn(count):
    with Catalogue("/in", people_of(count)) as people:
        return pairs.pairs_of(people, 40, THIRDS, 0)


def test_people_on_the_disk_make_the_pairs_of_people_in_memory():
    with Catalogue("/in", people_of(60)) as people:
        kept = {name: list(shots) for name, shots in people.items()}
        assert list(people) == sorted(kept)
        assert people["Person_Number_000007"][1].path == Path("/in/Person_Number_000007/1.jpg")
        with pytest.raises(KeyError):
            people["nobody"]
        assert pairs.pairs_of(people, 40, THIRDS, 0) == pairs.pairs_of(kept, 40, THIRDS, 0)


def test_memory_hardly_grows_with_the_number_of_people():
    drawn(10)
    tracemalloc.start()
    peaks = []
    for count in (2_000, 10_000):
        tracemalloc.reset_peak()
        drawn(count)
        peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 8_000 < 60  # bytes a person; their names alone have 20


def test_names_are_sorted_in_a_file_as_in_memory():
    chance = random.Random(0)
    names = ["".join(chance.choices(["2", "10", "007", "a", "B", "b", " ", "é", "\udcff", "字"], k=n % 6)) or "x"
             for n in range(600)]  # fmt: skip
    wanted = sorted(names, key=lambda name: natural_key(Path(name)))
    assert list(in_natural_order(names)) == wanted
    for one, other in pairwise(wanted):
        keys = natural_key(Path(one)), natural_key(Path(other))
        assert (key_of(one) == key_of(other)) == (keys[0] == keys[1])


def test_folders_of_one_class_are_together_at_the_place_of_the_first():
    composed, decomposed = "Ren\u00e9", "Rene\u0301"
    assert list(in_natural_order(["zoe", composed, "img10", "Renz", decomposed, "img2"], by_class=True)) == [
        "img2", "img10", decomposed, composed, "Renz", "zoe"
    ]  # fmt: skip


def test_partitions_grow_after_the_first_and_the_rows_stay_in_order(tmp_path, monkeypatch):
    import pyarrow.parquet as parquet

    for name, value in (("_BATCH", 2), ("_EQUAL", 3), ("_GROWING", 2), ("_LARGEST", 4)):
        monkeypatch.setattr(manifest, name, value)
    needed = {"class": "anna", "source": "anna/a.jpg", "reasons": []}
    rows = [{**dict.fromkeys(schema().names), **needed, "file": str(number)} for number in range(33)]
    assert manifest.write(tmp_path, rows, {}) == 33
    groups = parquet.ParquetFile(tmp_path / "manifest.parquet").metadata
    assert [groups.row_group(n).num_rows for n in range(groups.num_row_groups)] == [2, 2, 2, 4, 4, 8, 8, 3]
    assert [row["file"] for row in manifest.read(tmp_path)] == [row["file"] for row in rows]
