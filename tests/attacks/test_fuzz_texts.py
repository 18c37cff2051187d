"""Random damage to what is read beside pictures and films: a sentence of ours, and no other end."""

from __future__ import annotations

import random
import re
import shutil
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from pychromecast.generated.cast_channel_pb2 import CastMessage

from facesecure.app.control import protocol
from facesecure.config.example import example_config
from facesecure.config.loader import load_config
from facesecure.domain.errors import FacesecureError
from facesecure.storage import passphrase
from facesecure.storage.archive import read_people, write_people
from facesecure.storage.store import Store
from facesecure.vision.inference.model_card import load_card
from facesecure_plugins.google_home.deadline import Deadline
from facesecure_plugins.google_home.device import from_record
from facesecure_plugins.google_home.identity import NAMESPACE, read_identity
from support.bombs.pictures import damaged
from support.faults.table import attack
from support.store import enrolled_face

WORDS = "correct horse battery staple"
Parser = tuple[bytes, Callable[[bytes], Any]]
"""What is damaged, and what reads it."""


def configuration(folder: Path) -> Parser:
    path = folder / "door.toml"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        load_config(path)

    settings = re.sub(r"(?m)^#(?=\w+ = )", "", example_config())
    return settings.encode(), read


def export(folder: Path) -> Parser:
    path = folder / "family.zip"
    with Store.open(folder / "state") as store, (folder / "encrypted").open("w+b") as file:
        store.add_person("Anna", [enrolled_face(seed) for seed in range(3)])
        write_people(store, file, lambda: WORDS)
        file.seek(0)
        bare = passphrase.decrypt(file.read(), WORDS)

    def read(data: bytes) -> None:
        path.write_bytes(data)
        read_people(path, lambda: WORDS, unencrypted=True)

    return bare, read


def control_request(_folder: Path) -> Parser:
    return protocol.encode({"version": 1, "command": "arm", "mode": "away", "state": "/x"}), protocol.decode


def card(folder: Path) -> Parser:
    models = resources.files("facesecure.vision.inference") / "models"
    (source,) = [Path(str(one)) for one in models.iterdir() if one.name == "pnet.json"]
    for file in source.parent.glob("pnet.*"):
        shutil.copy(file, folder)
    path = folder / source.name

    def read(data: bytes) -> None:
        path.write_bytes(data)
        load_card(path)

    return source.read_bytes(), read


class Peer:
    """A connection on which certain bytes arrive, and nothing else."""

    peer_certificate = b"certificate"

    def __init__(self, data: bytes) -> None:
        self._left = data

    def sendall(self, _data: bytes) -> None: ...

    def read_exactly(self, count: int, _deadline: Deadline) -> bytes:
        if count > len(self._left):
            raise TimeoutError("no more")
        found, self._left = self._left[:count], self._left[count:]
        return found


def cast_answer(_folder: Path) -> Parser:
    message = CastMessage(
        protocol_version=CastMessage.CASTV2_1_0,
        source_id="receiver-0",
        destination_id="sender-0",
        namespace=NAMESPACE,
        payload_type=CastMessage.BINARY,
        payload_binary=bytes(range(200)),
    ).SerializeToString()
    peer: Any = Peer
    return len(message).to_bytes(4, "big") + message, lambda data: read_identity(peer(data), 1.0)


def cast_record(_folder: Path) -> Parser:
    record = b"id=0123456789abcdef0123456789abcdef\nfn=Kitchen\nmd=Mini\nca=36\nve=05"

    def read(data: bytes) -> None:
        pairs = (line.partition("=") for line in data.decode(errors="replace").split("\n"))
        from_record({name: value for name, _, value in pairs}, ["192.168.1.20", "fe80::1%eth0"], 8009)

    return record, read


PARSERS = {maker.__name__: maker for maker in (configuration, export, control_request, card, cast_answer, cast_record)}


def fuzz(parser: Parser, seconds: float, seed: int) -> tuple[int, int]:
    """Damage for that long, at least 30 times; return how often it was tried and taken. Only our errors may come."""
    whole, read = parser
    print(f"seed {seed}")  # shown of a test that fails, so that it can be repeated
    chance, end, tried, taken = random.Random(seed), time.monotonic() + seconds, 0, 0
    while tried < 30 or time.monotonic() < end:
        tried += 1
        try:
            read(damaged(whole, chance))
            taken += 1
        except FacesecureError:
            continue
    return tried, taken


@pytest.mark.parametrize("name", PARSERS)
def test_what_is_damaged_is_read_or_refused_with_a_sentence(tmp_path: Path, name: str) -> None:
    tried, taken = fuzz(PARSERS[name](tmp_path), 0.0, seed=len(name))
    assert (tried, 0 <= taken <= tried) == (30, True)


@pytest.mark.slow
@attack(
    "random damage to texts and messages",
    how="bytes changed, moved, repeated and cut, a minute each: a configuration, an export, a request to the control "
    "socket, a model's card, a Cast device's proof and its mDNS record",
)
def test_damage_to_each_text(tmp_path: Path, damaging: float, saw: Callable[[str], None]) -> None:
    figures = []
    for name, maker in PARSERS.items():
        (folder := tmp_path / name).mkdir()
        figures.append(fuzz(maker(folder), damaging, seed=time.time_ns()))
    tried, taken = (sum(column) for column in zip(*figures, strict=True))
    assert 0 < taken < tried, "damage has to be tried that is noticed, and some that is not"
    saw(f"{tried} tried, {taken} taken, {tried - taken} refused with a sentence; no other end")
