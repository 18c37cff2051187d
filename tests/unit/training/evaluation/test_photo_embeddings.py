"""Photos are embedded once each, whoever does it; one that is missing is told of before."""

import cv2
import numpy as np
import pytest

from facesecure.domain.errors import ImageError
from facesecure.services.bulk.workforce import Workforce
from facesecure_training.evaluation.observations import observe
from facesecure_training.evaluation.photo_embeddings import embed_photos
from facesecure_training.evaluation.setting import Setting
from support.faces import portrait


def test_missing_photos_are_counted_before_any_work_is_done(tmp_path):
    with pytest.raises(ImageError, match="2 of 2 photos are missing"):
        embed_photos([tmp_path / "a.jpg", tmp_path / "b.jpg"], Setting())


@pytest.mark.slow
def test_two_processes_embed_and_observe_as_one_does(tmp_path):
    pytest.importorskip("distributed", reason="needs the [cluster] extra")
    photos = []
    for number in range(40):  # more than a worker takes in one go
        image = np.full((40, 40, 3), number, np.uint8) if number % 10 else portrait()[..., ::-1]
        photos.append(tmp_path / f"{number}.png")
        cv2.imwrite(str(photos[-1]), image)
    alone, together = (embed_photos(photos, Setting(workforce=Workforce(count))) for count in (1, 2))
    assert list(alone) == list(together) == sorted(photos)
    assert sum(one is not None for one in alone.values()) == 4
    assert all(np.array_equal(alone[photo], together[photo]) for photo in photos if alone[photo] is not None)
    seen = [observe(photos, Setting(workforce=Workforce(count))) for count in (1, 2)]
    for one, other in zip(*(some.values() for some in seen), strict=True):
        assert (one is None) == (other is None)
        assert one is None or np.array_equal(one.embedding, other.embedding)
