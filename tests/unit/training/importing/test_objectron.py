"""The import of the detector of people, animals and vehicles accepts the one published file only."""

import io
import tarfile

import pytest

from facesecure.domain.errors import ModelError
from facesecure_training.importing import objectron


def package(path, content: bytes, name: str = "package/objectron_solution_packed_assets.data"):
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("content", [b"", b"x" * 9_987_912])
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "assets.data").write_bytes(content)
    with pytest.raises(ModelError, match="is not @mediapipe/objectron") as refused:
        objectron.read_source(tmp_path / "assets.data")
    assert "npm pack" in refused.value.hint


def test_another_package_is_refused(tmp_path):
    with pytest.raises(ModelError, match="cannot read the detector"):
        objectron.read_source(package(tmp_path / "other.tgz", b"", "package/index.js"))
    with pytest.raises(ModelError, match="is not @mediapipe/objectron"):
        objectron.read_source(package(tmp_path / "changed.tgz", b"x" * 100))


def test_labels_and_model_are_read_of_the_published_one(tmp_path, monkeypatch):
    labels, model = b"???\nPerson\n".ljust(183, b"x") + b"\n", b"TFL3" * 2_496_932
    for name, part in (("_KNOWN", model), ("_LABELS_KNOWN", labels)):
        monkeypatch.setattr(objectron, name, objectron.hashlib.sha256(part).hexdigest())
    found, content = objectron.read_source(package(tmp_path / "objectron.tgz", labels + model))
    assert found[:2] == ("???", "Person")
    assert content == model
