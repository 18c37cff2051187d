"""The evidence benchmark names what is missing."""

import pytest

from benchmarks import evidence


def test_without_photos_it_says_how_to_name_some(tmp_path):
    with pytest.raises(SystemExit, match="--images"):
        evidence.main(["--images", str(tmp_path / "nowhere")])
