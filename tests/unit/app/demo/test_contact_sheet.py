"""The contact sheet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from facesecure.app.demo.annotate import COLOURS
from facesecure.app.demo.contact_sheet import contact_sheet, save_png
from facesecure.domain import Box, Sighting, Verdict, VerdictKind
from facesecure.domain.errors import FacesecureError
from support.builders import NOON

SIGHTING = Sighting(
    identifier="a",
    verdict=Verdict(
        VerdictKind.KNOWN, "three faces look like her", name="Зоя", score=0.7, second_name="Ed", second_score=0.1
    ),
    source="front door",
    first_seen=NOON,
    last_seen=NOON + timedelta(seconds=4),
    track=1,
    snapshot=np.full((90, 120, 3), (10, 200, 250), np.uint8),
    box=Box(40, 20, 80, 70),
)


def _shows(image: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((image == colour).all(2).any())


def test_a_card_shows_the_snapshot_the_face_and_the_verdicts_colour() -> None:
    sheet = contact_sheet([SIGHTING])
    assert _shows(sheet, (10, 200, 250))
    assert _shows(sheet, COLOURS[VerdictKind.KNOWN])


def test_a_sighting_without_a_picture_has_a_card_all_the_same() -> None:
    stranger = Verdict(VerdictKind.STRANGER, "nobody we know")
    sheet = contact_sheet([replace(SIGHTING, snapshot=None, box=None, track=None, verdict=stranger)])
    assert _shows(sheet, COLOURS[VerdictKind.STRANGER])


def test_the_sheet_grows_with_the_sightings_and_goes_two_abreast() -> None:
    three, four, nine = (contact_sheet([SIGHTING] * count) for count in (3, 4, 9))
    assert four.shape[1] > 1.9 * three.shape[1]
    assert nine.shape[0] > four.shape[0]


def test_a_day_on_which_nobody_came_has_a_sheet() -> None:
    assert contact_sheet([]).shape[2] == 3


def test_a_saved_sheet_is_a_png_with_the_same_pixels(tmp_path: Path) -> None:
    sheet = contact_sheet([SIGHTING])
    save_png(sheet, tmp_path / "sheet.png")
    assert np.array_equal(cv2.imread(str(tmp_path / "sheet.png"))[..., ::-1], sheet)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FacesecureError, match="nowhere"):
        save_png(contact_sheet([]), tmp_path / "nowhere" / "sheet.png")
