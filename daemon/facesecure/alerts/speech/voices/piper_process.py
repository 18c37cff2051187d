"""Piper in its own process: a script with the model's path as argument, sentences on stdin, samples on stdout.

Each request is a line of JSON, {"text": ..., "slower": 1.0}. Each response is a line of JSON: {"rate": ...,
"samples": n} followed by n float32 samples in the machine's byte order, or {"error": ...}. The end of stdin ends the
process.
"""

from __future__ import annotations

import json
import sys
from typing import Any, BinaryIO

THREADS = 2
"""Threads, of a Pi's four cores: the rest is for the camera."""


def main() -> None:
    """Serve requests until stdin ends. Errors are reported in the response."""
    requests, responses = sys.stdin.buffer, sys.stdout.buffer
    voice = None
    for line in requests:
        try:
            voice = voice or _load(sys.argv[1])
            _respond(voice, json.loads(line), responses)
        except Exception as error:  # noqa: BLE001 - the other side handles it
            responses.write(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode() + b"\n")
        responses.flush()


def _load(model: str) -> Any:
    """Load the model; Piper's own ``load`` would use every core."""
    import onnxruntime
    from piper import PiperVoice
    from piper.config import PiperConfig

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    with open(f"{model}.json", encoding="utf-8") as file:  # noqa: PTH123 - a script starts sooner without pathlib
        return PiperVoice(session, PiperConfig.from_dict(json.load(file)))


def _respond(voice: Any, request: dict[str, Any], responses: BinaryIO) -> None:
    from piper import SynthesisConfig

    how = SynthesisConfig(length_scale=request["slower"] * voice.config.length_scale)
    samples = b"".join(
        chunk.audio_float_array.astype("float32").tobytes() for chunk in voice.synthesize(request["text"], how)
    )
    responses.write(json.dumps({"rate": voice.config.sample_rate, "samples": len(samples) // 4}).encode() + b"\n")
    responses.write(samples)


if __name__ == "__main__":
    main()
