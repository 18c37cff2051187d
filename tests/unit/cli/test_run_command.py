"""``facesecure run`` says what it watches."""

import numpy as np

from support.service.commandline import write_picture


def test_a_run_says_that_it_watches_and_from_which_source(facesecure, tmp_path, caplog):
    folder = tmp_path / "images"
    folder.mkdir()
    write_picture(folder / "door.png", np.full((360, 640, 3), 120, np.uint8))
    outcome = facesecure("run", "--source", f"dir:{folder}", "--exit-at-end")
    assert outcome.code == 0, outcome.err
    assert f"dir:{folder}" in outcome.err + caplog.text
    assert "watching the" in outcome.err + caplog.text
    audited = facesecure("audit", "--json").json["entries"]
    assert [(entry["action"], entry["actor"], entry["outcome"]) for entry in audited] == [
        ("started", "facesecure", "done"), ("stopped", "facesecure", "done"),
    ]  # fmt: skip
