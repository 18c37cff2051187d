"""Embeds images as face_recognition 1.3 does; runs in another Python and imports nothing of ours.

Its default processing, step for step: HOG detector with one upsampling, five landmarks, dlib's ResNet. On standard
input, for each image, a line "HEIGHT WIDTH" and its RGB bytes; on standard output for each a line: 128 numbers, or
nothing if no face was found. Of several faces the one nearest to the centre is used. The first line of output is
"ready".
"""

import sys

import numpy as np


def main() -> None:
    """Answer images until standard input ends."""
    import dlib  # only that other Python has these two
    import face_recognition_models as models

    detector = dlib.get_frontal_face_detector()
    landmarks = dlib.shape_predictor(models.pose_predictor_five_point_model_location())
    network = dlib.face_recognition_model_v1(models.face_recognition_model_location())
    answer("ready")
    for line in iter(sys.stdin.buffer.readline, b""):
        height, width = map(int, line.split())
        image = np.frombuffer(sys.stdin.buffer.read(3 * height * width), np.uint8).reshape(height, width, 3)
        boxes = detector(image, 1)
        if not boxes:
            answer("")
            continue
        middle = min(boxes, key=lambda box: abs(box.center().x - width / 2) + abs(box.center().y - height / 2))
        found = network.compute_face_descriptor(image, landmarks(image, middle), 1)
        answer(" ".join(f"{value:.6g}" for value in found))


def answer(line: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
