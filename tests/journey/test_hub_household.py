"""Two daemons of one household at a real hub: one mode and one alert; without the hub each for itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import pytest

from facesecure.domain.doors import OtherDoor
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.sync.crops_asked import AskedCrops
from facesecure.hub.sync.household import Household
from facesecure.hub.sync.visits_state import VisitsState
from support.faults.clock import own_clock
from support.faults.household import Daemon, Home, wait_until
from support.hub_estate import RealHub
from support.mailbox import opened
from support.postgres.server import made_server

pytestmark = pytest.mark.slow
PATIENCE = 240
WITHDRAWN = "SELECT count(*) FROM deliveries WHERE channel = 'household' AND state = 'withdrawn'"


@dataclass
class Door(Home):
    """A home whose state directory is that of a door of the hub."""

    state_dir: Path = Path()
    daemon: Daemon | None = None

    @property
    def state(self) -> Path:
        return self.state_dir

    def configure(self, more: str = "", **others: Any) -> None:
        super().configure(more, **others)
        text = self.config.read_text().replace("stranger_cooldown = 0", 'stranger_cooldown = 1\nmode = "off"')
        self.config.write_text(text)

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.run("status", "--json").stdout))

    def others(self) -> list[dict[str, Any]]:
        return [one for one in self.status()["doors"] if one["heard_at"] is not None]

    @property
    def unasked(self) -> int:
        """How often it could not ask the other in time, as on a machine that is busy."""
        assert self.daemon is not None
        return self.daemon.said.count("so this one notifies")

    def elsewhere(self) -> list[dict[str, Any]]:
        """The visits of the other door, newest first."""
        return list(json.loads(self.run("events", "list", "--doors", "--json").stdout)["elsewhere"])

    def seen_at(self) -> set[str]:
        """At which other doors visitors of this one were."""
        found = json.loads(self.run("visitors", "list", "--json").stdout)["visitors"]
        return {at["place"] for visitor in found for at in visitor["elsewhere"]}

    def strangers_elsewhere(self) -> list[dict[str, Any]]:
        """Those of them that are of strangers and have a picture."""
        return [one for one in self.elsewhere() if one["verdict"] == "stranger" and one["picture"]]

    def withdrawn(self) -> int:
        return int(self.rows(WITHDRAWN)[0][0])


def picture_comes(hub: RealHub, state_dir: Path) -> float:
    """Seconds until the door of ``state_dir`` has a picture of the other's daemon, as its page would ask for it."""
    known = KnownDoors(state_dir)
    household = Household(state_dir, known)
    with hub.opened(state_dir) as store:
        known.learn(store)
        household.refresh(store)
        (other,) = [one for one in known.trusted.present() if one.door != household.own.door]
        asked = AskedCrops(household, lambda: [OtherDoor(other.door, other.name, datetime.now(UTC))])
        visit = next(one for one in VisitsState.read(state_dir).visits({other.door: other.name}) if one.picture)

        def came() -> bool:
            asked.ask(visit)
            asked.fetch(store)
            return asked.picture(visit) is not None

        took = wait_until(came, "picture", PATIENCE, 0.2)
        assert store.crops.get(visit.identifier) is None
        return took


def longer(film: Path, path: Path, times: int) -> Path:
    """Write ``film`` so many times over, without drawing it again."""
    with av.open(str(path), "w") as out:
        stream, offset = None, 0
        for _ in range(times):
            with av.open(str(film)) as source:
                video = source.streams.video[0]
                stream = stream or out.add_stream_from_template(video)
                for packet in source.demux(video):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts, packet.stream = (packet.pts or 0) + offset, packet.dts + offset, stream
                    out.mux(packet)
                offset += video.duration or 0
    return path


@pytest.fixture
def doors(
    tmp_path: Path, strangers_film: Path, household: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[RealHub, Door, Door]]:
    """The front, which is the manager, and the garage, with one film before their cameras; both are disarmed.

    The clock of the garage is ten minutes slow.
    """
    film = longer(strangers_film, tmp_path / "strangers.mp4", 6)
    with made_server() as server, opened(monkeypatch) as mailbox:
        (tmp_path / "hub").mkdir()
        shutil.copytree(household, tmp_path / "hub" / "front")
        (tmp_path / "hub" / "front").chmod(0o700)
        hub = RealHub(server, tmp_path / "hub")
        hub.add("garage")
        made = []
        for name in ("front", "garage"):
            (tmp_path / name).mkdir()
            door = Door(tmp_path / name, film, state_dir=hub.folder / name)
            database = f"postgresql+psycopg://127.0.0.1:{server.port}/{hub.database}"
            door.configure(f'[hub]\ndatabase = "{database}"\n[plugins.webhook]\nurl = "{mailbox.url}"\n')
            made.append(door)
        own_clock(made[1])(-1 / 6)
        yield hub, made[0], made[1]
        for door in made:
            door.kill()


def test_one_mode_and_one_alert_with_the_hub_and_two_of_each_without(doors: tuple[RealHub, Door, Door]) -> None:
    hub, front, garage = doors
    for door in (front, garage):
        door.daemon = door.begin()
    for door in (front, garage):
        assert door.daemon is not None
        door.daemon.wait_ready(PATIENCE)
    wait_until(lambda: front.others() and garage.others(), "word from each other", PATIENCE, 1)
    assert (front.others()[0]["name"], garage.others()[0]["name"]) == ("garage", "front")
    assert not front.others()[0]["silent"]
    assert not garage.others()[0]["silent"]

    assert front.run("arm", "home").returncode == 0
    took = wait_until(lambda: garage.status()["mode"] == "home", "mode of the front at the garage", PATIENCE, 0.2)
    assert "door front" in garage.run("audit", "list", "--json").stdout
    print(f"the mode was at the other door after {took:.2f} s, a command included")

    wait_until(lambda: max(front.withdrawn(), garage.withdrawn()) >= 2, "stranger whom both saw", PATIENCE, 0.5)
    told = len(front.alerts()) + len(garage.alerts())
    strangers = max(len(door.alerts()) + door.withdrawn() for door in (front, garage))  # read later, so not too few
    unasked = front.unasked + garage.unasked
    print(f"{told} alerts of {strangers} strangers, {unasked} of them by doors that could not ask the other in time")
    assert 0 < told <= strangers + unasked

    for door in (garage, front):
        wait_until(door.strangers_elsewhere, "stranger of the other door", PATIENCE, 0.5)
    visit = front.strangers_elsewhere()[0]
    assert visit["door_name"] == "garage"
    ago = datetime.now(UTC) - datetime.fromisoformat(visit["first_seen"])
    assert timedelta(minutes=-1) < ago < timedelta(seconds=2 * PATIENCE + 60)  # whatever the clock of the garage says
    took = picture_comes(hub, front.state_dir)
    print(f"a picture of the garage was at the front after {took:.2f} s")
    assert "picture-given" in garage.run("audit", "list", "--json").stdout

    for door, other in ((front, "garage"), (garage, "front")):
        wait_until(door.seen_at, "visitor of the other door", PATIENCE, 1)
        assert door.seen_at() == {other}

    hub.server.kill()
    assert front.elsewhere()
    before = len(front.alerts()), len(garage.alerts())
    wait_until(
        lambda: len(front.alerts()) > before[0] and len(garage.alerts()) > before[1], "alert of each", PATIENCE, 0.5
    )
    assert front.run("arm", "away").returncode == garage.run("arm", "off").returncode == 0
    assert (front.status()["mode"], garage.status()["mode"]) == ("away", "off")
    hub.server.start()
    wait_until(lambda: garage.status()["mode"] == "away", "stricter mode at the garage", PATIENCE, 1)
    assert front.status()["mode"] == "away"
