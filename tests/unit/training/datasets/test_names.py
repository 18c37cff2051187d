"""Many names in little memory."""

from pathlib import Path

from facesecure_training.datasets.names import Files, Texts

NAMES = ["alice/1.png", "", "böb/\udcff.jpg", "日本/2.png"]


def test_names_are_given_back_as_they_were():
    texts = Texts(NAMES)
    assert list(texts) == NAMES
    assert (texts[-1], texts[1:3], len(texts)) == (NAMES[-1], NAMES[1:3], 4)
    assert texts == NAMES
    assert texts != NAMES[:3]
    assert "alice/1.png" in texts
    assert not Texts()


def test_files_are_paths_below_their_root():
    files = Files(Path("/faces"), Texts(["a/1.png", "b/2.png"]))
    assert files == [Path("/faces/a/1.png"), Path("/faces/b/2.png")]
    assert files[1:] == [Path("/faces/b/2.png")]
    assert files != [Path("/faces/a/1.png"), Path("/faces/b/3.png")]
