"""Piper in a process of its own: run as a script with the model's path; sentences in by stdin, samples out by stdout.

Each request is a line of JSON, {"text": ..., "slower": 1.0}. Each answer is a line of JSON, {"rate": ..., "samples": n}
and then n float32 samples in the machine's order, or {"error": ...}. The end of stdin ends the process.
"""

from __future__ import annotations

import json
import sys
from typing import Any, BinaryIO

THREADS = 2
"""Of a Pi's four cores: the camera goes on being watched."""


def main() -> None:
    """Answer until stdin ends. An error is answered too; only what kills the process ends it."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    voice = None
    for line in requests:
        try:
            voice = voice or _load(sys.argv[1])
            _answer(voice, json.loads(line), answers)
        except Exception as error:  # noqa: BLE001 - the other side knows what to make of it
            answers.write(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode() + b"\n")
        answers.flush()


def _load(model: str) -> Any:
    """Not by Piper's own ``load``, which would take every core."""
    import onnxruntime
    from piper import PiperVoice
    from piper.config import PiperConfig

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    with open(f"{model}.json", encoding="utf-8") as file:  # noqa: PTH123 - a script starts sooner without pathlib
        return PiperVoice(session, PiperConfig.from_dict(json.load(file)))


def _answer(voice: Any, request: dict[str, Any], answers: BinaryIO) -> None:
    from piper import SynthesisConfig

    how = SynthesisConfig(length_scale=request["slower"] * voice.config.length_scale)
    samples = b"".join(
        chunk.audio_float_array.astype("float32").tobytes() for chunk in voice.synthesize(request["text"], how)
    )
    answers.write(json.dumps({"rate": voice.config.sample_rate, "samples": len(samples) // 4}).encode() + b"\n")
    answers.write(samples)


if __name__ == "__main__":
    main()
