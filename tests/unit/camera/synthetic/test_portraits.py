"""The bundled portraits."""

from __future__ import annotations

import pytest

from facesecure.camera.synthetic.portraits import EILEEN_COLLINS, GRACE_HOPPER, Portrait


@pytest.mark.parametrize("portrait", [GRACE_HOPPER, EILEEN_COLLINS], ids=lambda portrait: portrait.name)
def test_the_outline_holds_the_face_and_not_the_background(portrait: Portrait) -> None:
    mask = portrait.mask()
    assert mask.shape == portrait.image().shape[:2]
    assert all(mask[round(y), round(x)] == 255 for x, y in portrait.landmarks)
    assert mask[5, 5] == mask[5, -5] == 0


def test_colours_are_red_green_blue() -> None:
    suit = EILEEN_COLLINS.image()[300:340, 200:220].reshape(-1, 3).mean(0)
    assert suit[0] > 1.5 * suit[2]  # the suit is orange
