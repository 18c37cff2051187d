"""The systems that facesecure is compared with, each as a function of a BGR frame, as a webcam delivers it.

Rewritten from the originals, stage by stage, without drawing the result. Imports are inside the functions, because each
runs in its own environment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from benchmarks.labels import Corners

Answer = tuple[Corners, str | None]
"""A face's box and name, None for an unknown person."""


class Peer(Protocol):
    """A system under comparison."""

    def identify(self, frame: Any) -> list[Answer]:
        """Return the faces in ``frame``, uint8 BGR (height, width, 3)."""


class FaceRecognitionExample:
    """face_recognition's facerec_from_webcam.py: every frame, full size; within 0.6 of the nearest is a match."""

    def __init__(self, enrolment: Mapping[str, Sequence[Path]]) -> None:
        import face_recognition

        self._library = face_recognition
        self._names: list[str] = []
        self._known: list[Any] = []
        for name, pictures in enrolment.items():
            for path in pictures:
                encodings = face_recognition.face_encodings(face_recognition.load_image_file(str(path)))
                self._names += [name] * len(encodings[:1])
                self._known += encodings[:1]

    def identify(self, frame: Any) -> list[Answer]:
        import numpy as np

        rgb = np.ascontiguousarray(frame[:, :, ::-1])
        places = self._library.face_locations(rgb)
        encodings = self._library.face_encodings(rgb, places)
        return [
            ((left, top, right, bottom), self._who(encoding))
            for (top, right, bottom, left), encoding in zip(places, encodings, strict=True)
        ]

    def _who(self, encoding: Any) -> str | None:
        import numpy as np

        matches = self._library.compare_faces(self._known, encoding)
        nearest = int(np.argmin(self._library.face_distance(self._known, encoding)))
        return self._names[nearest] if matches[nearest] else None


class FasterFaceRecognitionExample:
    """Its facerec_from_webcam_faster.py: every other frame, at a quarter of the size."""

    def __init__(self, enrolment: Mapping[str, Sequence[Path]]) -> None:
        self._full = FaceRecognitionExample(enrolment)
        self._this_frame = True

    def identify(self, frame: Any) -> list[Answer]:
        import cv2

        answers: list[Answer] = []
        if self._this_frame:
            small = cv2.resize(frame, (0, 0), fx=0.25, fy=0.25)
            for (left, top, right, bottom), name in self._full.identify(small):
                answers.append(((4 * left, 4 * top, 4 * right, 4 * bottom), name))
        self._this_frame = not self._this_frame
        return answers


class PiSecureHome:
    """The 2020 report's loop: Haar at width 700 (1.3, 3 neighbours, 30 px), then its network on each face, 224x224.

    The weights are random, so whose face it says means nothing: the name is always the first label's. What it costs
    does not depend on them.
    """

    WIDTH = 700

    def __init__(self, model: Path) -> None:
        import cv2

        self._graph = _interpreter(model)
        self._graph.allocate_tensors()
        self._input = self._graph.get_input_details()[0]["index"]
        self._output = self._graph.get_output_details()[0]["index"]
        cascade = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
        self._cascade = cv2.CascadeClassifier(str(cascade))

    def identify(self, frame: Any) -> list[Answer]:
        import cv2

        scale = frame.shape[1] / self.WIDTH
        small = cv2.resize(frame, (self.WIDTH, round(frame.shape[0] / scale)), interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
        found = self._cascade.detectMultiScale(grey, scaleFactor=1.3, minNeighbors=3, minSize=(30, 30))
        answers: list[Answer] = []
        for x, y, width, height in found:
            self._classify(small[y : y + height, x : x + width])
            box = (float(x * scale), float(y * scale), float((x + width) * scale), float((y + height) * scale))
            answers.append((box, None))
        return answers

    def _classify(self, face: Any) -> Any:
        import cv2
        import numpy as np

        crop = cv2.resize(cv2.cvtColor(face, cv2.COLOR_BGR2RGB), (224, 224)).astype(np.float32) / 255
        self._graph.set_tensor(self._input, crop[None])
        self._graph.invoke()
        return self._graph.get_tensor(self._output)


def _interpreter(model: Path) -> Any:
    """LiteRT, or tflite-runtime in an environment that has that instead; one thread."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        from tflite_runtime.interpreter import Interpreter
    return Interpreter(model_path=str(model), num_threads=1)
