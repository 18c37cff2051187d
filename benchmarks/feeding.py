"""Measure training in images a second: with facesecure's loader, and with the usual loop of 2020.

python -m benchmarks.feeding FACES [--pictures 640] [--batch 32]

FACES is a class folder of JPEGs, as ``facesecure-train dataset extract --crop 600x400`` makes it. The usual loop is
Keras' ImageDataGenerator of 2020: images are decoded, scaled and augmented by NumPy and SciPy, one after the other, in
the training loop. Both apply the report's augmentation (rotated, shifted by up to 0.2, zoomed, mirrored), both feed the
same compiled step of the same network with Adam. Each row is a separate process; timing starts after two batches.
"nothing" measures the loading alone. With "cache" every image was decoded and scaled in an epoch before.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

Step = Callable[[Any, Any], Any]
NETWORKS = {"nothing": 224, "compact": 112, "hugonet": 224}
"""Networks that are fed, and the side of their input in pixels."""
LOADERS = ("naive", "ours", "ours, cache")
WARM = 2


def main() -> None:
    options = _options()
    if options.loader:
        print(json.dumps(_measured(options)))
        return
    print(f"{'fed':10}{'naive':>10}{'ours':>10}{'':8}{'ours, cache':>12}   images/s")
    for network in NETWORKS:
        rates = [_run(options, network, loader) for loader in LOADERS]
        ours, cached = (f"{rate:10.1f}{f'({rate / rates[0]:.1f}x)':>8}" for rate in rates[1:])
        print(f"{network:10}{rates[0]:10.1f}{ours}{cached}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--pictures", type=int, default=640)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--network", choices=NETWORKS, help=argparse.SUPPRESS)
    parser.add_argument("--loader", choices=LOADERS, help=argparse.SUPPRESS)
    return parser.parse_args()


def _run(options: argparse.Namespace, network: str, loader: str) -> float:
    words = [sys.executable, "-m", "benchmarks.feeding", str(options.faces), "--pictures", str(options.pictures)]
    words += ["--batch", str(options.batch), "--network", network, "--loader", loader]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def _measured(options: argparse.Namespace) -> float:
    """Return images a second."""
    step, side = _step(options.network), NETWORKS[options.network]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        fed = _naive if options.loader == "naive" else _ours
        batches = fed(options, side, Path(folder))
        for pictures, labels in islice(batches, WARM):
            step(pictures, labels)
        began, count = time.monotonic(), 0
        for pictures, labels in batches:
            step(pictures, labels)
            count += len(labels)
            if count >= options.pictures:
                break
        return count / (time.monotonic() - began)


def _naive(options: argparse.Namespace, side: int, cache: Path) -> Iterator[tuple[Any, Any]]:
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    classes = sorted(folder.name for folder in options.faces.iterdir() if folder.is_dir() and folder.name[0] != ".")
    changes = {"rotation_range": 20, "width_shift_range": 0.2, "height_shift_range": 0.2, "zoom_range": 0.2}
    generator = ImageDataGenerator(horizontal_flip=True, **changes)
    return iter(
        generator.flow_from_directory(
            options.faces,
            classes=classes,
            target_size=(side, side),
            batch_size=options.batch,
            class_mode="sparse",
            seed=0,
        )
    )


def _ours(options: argparse.Namespace, side: int, cache: Path) -> Iterator[tuple[Any, Any]]:
    from facesecure_training.datasets.folders import ClassFolder
    from facesecure_training.datasets.loading import batches
    from facesecure_training.recipes.augment import augment, preset

    folder = ClassFolder.read(options.faces)
    place = cache if options.loader == "ours, cache" else None
    common: dict[str, Any] = {"size": (side, side), "batch": options.batch, "cache": place, "shuffle": True}
    if place:
        sum(1 for _ in batches(folder.files, folder.labels, **common))
    made = batches(folder.files, folder.labels, augment=augment(preset("report")), repeat=True, **common)
    return iter(made.take(WARM + -(-options.pictures // options.batch)))  # not more, or it fills the cache at the end


def _step(network: str) -> Step:
    if network == "nothing":
        return lambda pictures, labels: None
    from facesecure_training.common.optional_dependencies import tensorflow
    from facesecure_training.networks.compact import compact
    from facesecure_training.networks.hugonet import hugonet

    tf = tensorflow()
    model = compact(2, kind="cnn") if network == "compact" else hugonet(2)
    adam, loss = tf.keras.optimizers.Adam(1e-4), tf.keras.losses.SparseCategoricalCrossentropy()

    @tf.function(reduce_retracing=True)
    def step(pictures: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            value = loss(labels, model(pictures, training=True))
        gradients = tape.gradient(value, model.trainable_variables)
        adam.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return value

    return lambda pictures, labels: float(step(tf.cast(pictures, tf.uint8), tf.cast(labels, tf.int32)))


if __name__ == "__main__":
    main()
