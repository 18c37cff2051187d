"""``facesecure bench``."""


def test_every_stage_is_timed(facesecure):
    told = facesecure("bench", "--repeats", 2, "--json").json
    assert len(told["stages"]) == 4
    assert all(0 < timing["median_ms"] <= timing["worst_ms"] for timing in told["stages"].values())
    assert told["runtime"] in ("litert", "tflite-runtime")
    assert "median ms" in facesecure("bench", "--repeats", 1).out
