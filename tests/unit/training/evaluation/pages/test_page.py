"""The page stands alone: its images are in it, and its input is text, not markup."""

import json
import re
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from facesecure.domain.errors import UsageError
from facesecure_training.common.corruption_series import CORRUPTION_SERIES
from facesecure_training.evaluation.pages import charts
from facesecure_training.evaluation.pages.page import Figure, Page, write
from facesecure_training.evaluation.rates import rates
from support.training.tiny_networks import portrait_crop

RANDOM = np.random.default_rng(6)
SOME = rates(RANDOM.normal(0.7, 0.1, 400), RANDOM.normal(0.1, 0.1, 400))


def decoded(content: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def steps(kind: str) -> list[SimpleNamespace]:
    return [SimpleNamespace(strength=one, named=0.9, false_accepts=0.1) for one in CORRUPTION_SERIES[kind].strengths]


CHARTS = {
    "roc": lambda: charts.roc({"ours": SOME, "theirs": SOME}),
    "det": lambda: charts.det({"ours": SOME}),
    "det of parted scores": lambda: charts.det({"ours": rates([1.0], [0.0])}),
    "histogram": lambda: charts.histogram([0.7, 0.8, -np.inf], [0.1, np.nan], 0.5, "cosine", ("same", "other")),
    "histogram of one kind": lambda: charts.histogram([-np.inf], [0.1, 0.2], 0.5, "cosine", ("same", "other")),
    "confusion": lambda: charts.confusion(("a", "b", "never seen"), ("a", "b"), ((3, 1), (0, 4), (0, 0))),
    "robustness": lambda: charts.robustness(
        {kind: steps(kind) for kind in CORRUPTION_SERIES}, "named", "rightly named"
    ),
    "examples": lambda: charts.corruption_examples(portrait_crop()),
    "faces": lambda: charts.faces([("Ann +0.1", portrait_crop())] * 7),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_a_picture_with_something_on_it(name):
    picture = decoded(CHARTS[name]())
    assert min(picture.shape[:2]) > 200
    assert picture.std() > 5


def test_the_page_needs_no_network_and_no_other_file(tmp_path):
    page = Page("A <b>model</b>", "lead", "facesecure-train evaluate", figures=[("99 %", "accuracy", "98 to 100")])
    page.tables.append(("Table", ["head"], [["<cell>"]]))
    page.pictures.append(Figure("roc", CHARTS["roc"](), "the curve"))
    made = write(tmp_path / "out", "verification", page, {"eer": 0.01})
    text = made.read_text()
    assert re.findall(r'(?:src|href)="(?!data:)', text) == []
    assert "A &lt;b&gt;model" in text
    assert "<td>&lt;cell&gt;" in text
    assert json.loads((tmp_path / "out/verification.json").read_text()) == {"eer": 0.01}
    assert decoded((tmp_path / "out/verification-roc.png").read_bytes()) is not None


def test_a_folder_that_cannot_be_written_is_wrong_usage(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        write(tmp_path / "file" / "out", "x", Page("t", "l", "c"), {})
