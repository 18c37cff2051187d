"""What cannot be trained on is refused in one sentence, before anything is written."""

import math
import shutil

import pytest

from facesecure.domain.errors import FacesecureError, UsageError
from facesecure_training.datasets import manifest
from facesecure_training.datasets.settings import CropShape, ExtractionSettings
from facesecure_training.recipes.data import classifier_data, training_and_validation
from facesecure_training.recipes.registry import KINDS
from facesecure_training.recipes.settings import CompactSettings, HugonetSettings, SiameseSettings
from support.training.class_folders import rendered


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    return rendered(tmp_path_factory.mktemp("album") / "faces", 8, side=24)


@pytest.fixture
def faces(album, tmp_path):
    shutil.copytree(album, tmp_path / "faces")
    return tmp_path / "faces"


def refused(faces, **settings) -> str:
    with pytest.raises(FacesecureError) as error:
        training_and_validation(CompactSettings(data=faces, **settings))
    assert "\n" not in error.value.message
    assert error.value.hint
    return error.value.message


def test_one_class_is_named_and_nothing_can_be_told_apart(faces):
    shutil.rmtree(faces / "grace_hopper")
    assert refused(faces) == f"{faces} has images of eileen_collins only"


def test_a_class_without_images_is_named_and_not_passed_over(faces):
    (faces / "tom").mkdir()
    assert refused(faces) == f"{faces} has no images of tom"


def test_three_images_are_counted_by_class(faces):
    for folder, keep in (("grace_hopper", 1), ("eileen_collins", 2)):
        for image in sorted((faces / folder).iterdir())[keep:]:
            image.unlink()
    assert refused(faces) == f"{faces} has too few images of eileen_collins (2), grace_hopper (1)"


def test_a_folder_that_is_not_there_is_named(tmp_path):
    assert str(tmp_path / "nowhere") in refused(tmp_path / "nowhere")


def extracted(faces, crop: str) -> None:
    """Add the manifest of an extraction with this crop."""
    files = [path.relative_to(faces).as_posix() for path in sorted(faces.rglob("*.png"))]
    rows = [{"file": file, "source": file} for file in files]
    manifest.write(faces, rows, ExtractionSettings(shape=CropShape.parse(crop, 224)).described())


def test_aligned_faces_are_refused_in_a_size_that_the_daemon_does_not_have(faces):
    extracted(faces, "aligned")
    classifier_data(CompactSettings(data=faces))
    with pytest.raises(UsageError, match="takes 112x112 pixels, and this one 224x224") as error:
        classifier_data(HugonetSettings(data=faces))
    assert "--size 112" in error.value.hint
    assert "dataset extract --crop square --size 224" in error.value.hint
    training_and_validation(SiameseSettings(data=faces, size=64, split="source"))


def test_square_crops_and_images_without_a_manifest_may_have_any_size(faces):
    classifier_data(HugonetSettings(data=faces))
    extracted(faces, "square")
    classifier_data(HugonetSettings(data=faces))


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_setting_that_is_no_number_is_refused_by_its_option(kind, value):
    with pytest.raises(UsageError, match="--strength is"):
        KINDS[kind].settings(strength=value)
    with pytest.raises(UsageError, match="--lr is"):
        KINDS[kind].settings(lr=value)


@pytest.mark.tensorflow
@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n cut off"])
def test_a_corrupt_image_is_named_and_no_run_is_begun(faces, tmp_path, content):
    pytest.importorskip("tensorflow", reason="needs the [training] extra")
    from facesecure.domain.errors import ImageError
    from facesecure_training.recipes.run_folder import RunFolder
    from facesecure_training.recipes.train import train

    broken = faces / "grace_hopper" / "003.png"
    broken.write_bytes(content)
    settings = KINDS["compact"].settings(data=faces, kind="cnn", size=32, width=0.1, epochs=1, schedule="constant")
    with pytest.raises(ImageError, match="1 of 16 images cannot be read") as error:
        train("compact", settings, RunFolder(tmp_path / "run"))
    assert str(broken) in error.value.message
