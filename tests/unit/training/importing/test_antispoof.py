"""The cards of the networks against pictures held up."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesecure.domain.errors import ModelError
from facesecure.vision.inference.model_registry import downloadable_card
from facesecure_training.importing import antispoof


def test_the_cards_in_the_package_are_those_that_the_import_writes(shared_data: Path, tmp_path: Path) -> None:
    for published in sorted((shared_data / "models" / "antispoof").iterdir()):
        made = antispoof.run(published, tmp_path)
        packaged = downloadable_card(made.name)
        measured = {"parity", "delegation", "golden"}  # these depend a little on the machine
        assert made.model_dump(exclude=measured) == packaged.model_dump(exclude=measured)
        assert (tmp_path / made.file).stat().st_size == packaged.size


def test_any_other_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.pth"
    other.write_bytes(b"not weights")
    with pytest.raises(ModelError, match="neither of the published files"):
        antispoof.run(other, tmp_path)
