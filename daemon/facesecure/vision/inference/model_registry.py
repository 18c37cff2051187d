"""List, verify and pull models: those bundled with facesecure, and those downloaded from their publishers.

Downloads are pinned: a URL that names a commit, and a card with size, hash and licence. A pulled model lies in
STATE_DIR/models with its card beside it, as a bundled one lies in the package. What is published for another runtime is
converted once it is here: the hash of the download is pinned, and that of the result on the card.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from facesecure.domain.errors import DownloadError, FacesecureError, UsageError
from facesecure.util.files import replace_file
from facesecure.vision.inference.download import Progress, RemoteFile, fetch, ignore_progress

if TYPE_CHECKING:
    from facesecure.vision.inference.model_card import CardCheck, ModelCard

_ZOO = "https://media.githubusercontent.com/media/opencv/opencv_zoo/82b38c8f98e7b52aa171400f3e4c722352d0669f"

_GITHUB = "https://raw.githubusercontent.com"
_MINIVISION = f"{_GITHUB}/minivision-ai/Silent-Face-Anti-Spoofing/b6d5f04ad78778917853b25c778acef6d5626d15"
_FACENOX = f"{_GITHUB}/facenox/face-antispoof-onnx/2d4b33a3c0ba6e27772ac3a9b48ec495bf5c1dad"

URLS = {
    "yunet": f"{_ZOO}/models/face_detection_yunet/face_detection_yunet_2023mar.onnx",
    "antispoof-minivision": f"{_MINIVISION}/resources/anti_spoof_models/2.7_80x80_MiniFASNetV2.pth",
    "antispoof-celeba": f"{_FACENOX}/models/best_model_quantized.onnx",
}
"""Download address of each model with a card in models/downloadable."""

GROUPS = {"antispoof": ("antispoof-minivision", "antispoof-celeba")}
"""Models that are of use only together, by the name that pulls them all."""

_CONVERTED = {
    "antispoof-minivision": RemoteFile(
        URLS["antispoof-minivision"],
        "2.7_80x80_MiniFASNetV2.pth",
        1849453,
        "a5eb02e1843f19b5386b953cc4c9f011c3f985d0ee2bb9819eea9a142099bec0",
    ),
    "antispoof-celeba": RemoteFile(
        URLS["antispoof-celeba"],
        "best_model_quantized.onnx",
        626197,
        "fde20585635cae62ed1d41796f76b6f8bc4b92cd91ec1cf0f1bc6485d2d587a9",
    ),
}
"""What is downloaded of the models whose card describes the result of a conversion."""


class ModelStatus(StrEnum):
    """The state of a model: bundled, pulled, available for download, or damaged."""

    BUNDLED = "bundled"
    PULLED = "pulled"
    AVAILABLE = "available"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model of `facesecure models list`.

    ``path`` is its file, None until it is pulled; ``url`` is its download address. A DAMAGED one has its card's path
    and no ``card``.
    """

    name: str
    status: ModelStatus
    card: ModelCard | None
    path: Path | None
    url: str | None


@dataclass(frozen=True, slots=True)
class Verification:
    """One model of `facesecure models verify`.

    ``distance`` is the largest difference from its golden output on this machine (None where the card has none);
    ``problem`` is empty where nothing is wrong.
    """

    name: str
    path: Path
    distance: float | None
    problem: str = ""
    hint: str = ""

    @property
    def good(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.problem


def list_models(state_dir: Path | None = None, check: CardCheck | None = None) -> list[ModelEntry]:
    """Return every model by name: bundled, pulled into ``state_dir``, or available. Never raises.

    Each local file is hashed; one that differs from its card, or whose card ``check`` does not trust, is DAMAGED, and
    ``verify_models`` gives the reason.
    """
    from facesecure.vision.inference.card_files import available_models

    here = available_models(state_dir)
    entries = [_present(name, card_path, state_dir, check) for name, card_path in here.items()]
    absent = [name for name in URLS if name not in here]
    entries += [ModelEntry(name, ModelStatus.AVAILABLE, downloadable_card(name), None, URLS[name]) for name in absent]
    return sorted(entries, key=lambda entry: entry.name)


def verify_models(state_dir: Path | None = None, *more: str, check: CardCheck | None = None) -> Iterator[Verification]:
    """Check the card, bytes and golden output of every local model, one after the other. Never raises.

    ``more`` are names or paths as in the configuration; models elsewhere are checked too. ``check`` knows which cards
    to trust.
    """
    from facesecure.vision.inference.card_files import available_models, card_path_of

    here = available_models(state_dir)
    elsewhere = {one: card_path_of(one) for one in more if one not in here}
    for name, path in sorted((here | elsewhere).items()):
        yield _verify(name, path, state_dir, check)


def remote_file(name: str, mirror: str | None = None) -> RemoteFile:
    """Return the file that ``pull`` would download. Raises UsageError where ``name`` cannot be pulled."""
    if name not in URLS:
        raise UsageError(f"there is no model {name!r} to pull", f"there are: {', '.join(sorted((*URLS, *GROUPS)))}")
    stated = downloadable_card(name)
    published = _CONVERTED.get(name) or RemoteFile(URLS[name], stated.file, stated.size, stated.sha256)
    return published if mirror is None else replace(published, url=f"{mirror.rstrip('/')}/{published.name}")


def to_pull(name: str) -> tuple[str, ...]:
    """Return the models that ``name`` stands for: those of a group, or itself."""
    return GROUPS.get(name, (name,))


def pull(name: str, state_dir: Path, on_progress: Progress = ignore_progress, *, mirror: str | None = None) -> Path:
    """Download ``name`` into ``state_dir``/models, verified, with its card. Return the model's path.

    ``mirror`` is the address of a folder that holds the file under its own name, for when the origin cannot be
    reached; the hash is the same. Raises UsageError for a name that cannot be pulled, else DownloadError, or ModelError
    if the download cannot be converted.
    """
    folder, remote = state_dir / "models", remote_file(name, mirror)
    path = folder / downloadable_card(name).file
    if name not in _CONVERTED or not _is_right(path, name):
        path = fetch(remote, folder, on_progress)
        path = _converted(name, path) if name in _CONVERTED else path
    _put_card(name, folder)
    return path


def downloadable_card(name: str) -> ModelCard:
    """Return the card of a model that can be pulled: its size, hash and licence."""
    from facesecure.vision.inference.model_card import ModelCard

    return ModelCard.model_validate_json(_card_path(name).read_bytes())


def _card_path(name: str) -> Path:
    from facesecure.vision.inference.card_files import bundled_directory

    return bundled_directory() / "downloadable" / f"{name}.json"


def _converted(name: str, published: Path) -> Path:
    """Write the model that ``published`` is converted to in its place, and return its path.

    Raises DownloadError if it is not the one that the card describes, ModelError if it cannot be converted.
    """
    from facesecure.vision.inference.conversion import minifasnet

    card = downloadable_card(name)
    convert = minifasnet.from_onnx if published.suffix == ".onnx" else minifasnet.from_torch
    content = convert(published.read_bytes())
    found = hashlib.sha256(content).hexdigest()
    if found != card.sha256:
        what = f"{published.name} was converted to another file than {card.file}: its SHA-256 is {found}"
        raise DownloadError(what, "this is a bug; please report it with the kind of machine")
    path = published.with_name(card.file)
    _write(path, content)
    published.unlink()
    return path


def _is_right(path: Path, name: str) -> bool:
    wanted = downloadable_card(name).sha256
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == wanted


def _put_card(name: str, folder: Path) -> None:
    """Write the card beside the model; from then on the model is listed as pulled."""
    _write(folder / f"{name}.json", _card_path(name).read_bytes())


def _write(path: Path, content: bytes) -> None:
    try:
        replace_file(path, content)
    except OSError as error:
        what = f"cannot write in {path.parent}: {error.strerror}"
        raise DownloadError(what, "free some space and run it again") from error


def _present(name: str, card_path: Path, state_dir: Path | None, check: CardCheck | None) -> ModelEntry:
    from facesecure.vision.inference.model_card import load_model

    pulled = state_dir is not None and card_path.parent == state_dir / "models"
    try:
        model = load_model(card_path, state_dir, check)
    except FacesecureError:
        return ModelEntry(name, ModelStatus.DAMAGED, None, card_path, URLS.get(name))
    status = ModelStatus.PULLED if pulled else ModelStatus.BUNDLED
    return ModelEntry(name, status, model.card, model.path, URLS.get(name))


def _verify(name: str, card_path: Path, state_dir: Path | None, check: CardCheck | None) -> Verification:
    from facesecure.vision.inference.model_card import load_model

    try:
        model = load_model(card_path, state_dir, check)
        distance = model.verify()
    except FacesecureError as error:
        return Verification(name, card_path, None, error.message, error.hint or "")
    return Verification(name, model.path, None if model.card.golden is None else distance)
