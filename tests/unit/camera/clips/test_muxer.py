"""Films of what cameras send: the packets as they are where phones play them, H.264 where not."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from facesecure.camera.clips.muxer import FilmMuxer, FormatChangedError, Timeline
from facesecure.camera.clips.packets import StoredPacket
from facesecure.camera.clips.parameter_sets import parameter_sets
from facesecure.domain.errors import SourceError
from support.camera.films import RATE, boxes, camera_video, filled, mp4_of, played


def filmed(packets: list[StoredPacket]) -> list[bytes]:
    """The film of ``packets``, in the pieces in which it was written."""
    pieces = list[bytes]()
    film = FilmMuxer(pieces.append)
    for packet in packets:
        film.add(packet)
    film.close()
    return pieces


@pytest.mark.parametrize(
    ("name", "codec", "becomes"),
    [
        ("a.mp4", "libx264", ("h264", "avc1")),
        ("a.ts", "libx264", ("h264", "avc1")),
        ("a.mp4", "libx265", ("hevc", "hvc1")),
        ("a.ts", "libx265", ("hevc", "hvc1")),
        ("a.avi", "mjpeg", ("h264", "avc1")),
        ("a.avi", "rawvideo", ("h264", "avc1")),
        ("a.mkv", "mpeg4", ("h264", "avc1")),
    ],
)
def test_a_film_of_every_kind_of_video_plays(tmp_path: Path, name: str, codec: str, becomes: tuple[str, str]) -> None:
    packets = filled(camera_video(tmp_path / name, codec, 3.0)).take(0)
    film = played(mp4_of(filmed(packets)))
    assert (film.codec, film.tag) == becomes
    assert film.frames == 3 * RATE
    assert film.seconds == pytest.approx(3.0, abs=0.15)
    assert film.first == pytest.approx(0.0, abs=0.01)


def test_the_packets_of_h264_are_kept_as_they_are(tmp_path: Path) -> None:
    video = camera_video(tmp_path / "a.mp4", seconds=2.0)
    written = mp4_of(filmed(filled(video).take(0)))
    with av.open(str(video)) as original:
        assert all(bytes(packet) in written for packet in original.demux(video=0) if packet.size)


def test_the_index_comes_first_so_that_a_phone_begins_to_play_at_once(tmp_path: Path) -> None:
    kinds = boxes(mp4_of(filmed(filled(camera_video(tmp_path / "a.mp4", seconds=2.0)).take(0))))
    assert kinds.index("moov") < kinds.index("mdat")
    assert "moof" not in kinds


def test_frames_shown_out_of_order_keep_their_times(tmp_path: Path) -> None:
    packets = filled(camera_video(tmp_path / "a.mp4", b_frames=3)).take(0)
    assert any(packet.pts != packet.dts for packet in packets)
    film = played(mp4_of(filmed(packets)))
    assert film.frames == 6 * RATE
    assert film.seconds == pytest.approx(6.0, abs=0.15)


def test_a_turned_film_stays_turned_and_wide_pixels_stay_wide(tmp_path: Path) -> None:
    turned = filled(camera_video(tmp_path / "turned.mp4", seconds=2.0, rotation=90)).take(0)
    wide = filled(camera_video(tmp_path / "wide.mp4", seconds=2.0, aspect=Fraction(2))).take(0)
    wide_jpeg = filled(camera_video(tmp_path / "wide.mkv", "mjpeg", 2.0, aspect=Fraction(2))).take(0)
    assert played(mp4_of(filmed(turned))).rotation == 90
    assert played(mp4_of(filmed(wide))).aspect == 2
    assert played(mp4_of(filmed(wide_jpeg))).aspect == 2


def test_a_film_begins_with_its_first_key_frame(tmp_path: Path) -> None:
    packets = filled(camera_video(tmp_path / "a.mp4", seconds=3.0)).take(0)
    film = played(mp4_of(filmed(packets[4:])))
    assert film.frames == 2 * RATE


def test_what_follows_missing_packets_is_written_from_the_next_key_frame_on(tmp_path: Path) -> None:
    packets, pieces = filled(camera_video(tmp_path / "a.mp4", seconds=3.0)).take(0), list[bytes]()
    film = FilmMuxer(pieces.append)
    for packet in packets[:5]:
        film.add(packet)
    film.miss()
    for packet in packets[8:]:
        film.add(packet)
    film.close()
    assert played(mp4_of(pieces)).frames == 5 + 2 * RATE


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.ts", "libx265"), ("a.avi", "mjpeg")])
def test_a_film_that_breaks_off_anywhere_plays_to_its_last_second(tmp_path: Path, name: str, codec: str) -> None:
    film = b"".join(filmed(filled(camera_video(tmp_path / name, codec)).take(0)))
    for share in (0.6, 0.8, 0.95):
        cut = played(mp4_of([film[: round(share * len(film))]]))
        assert 0.5 < cut.seconds < 6.0


def test_of_nothing_that_can_be_played_no_file_is_made(tmp_path: Path) -> None:
    film = filmed(filled(camera_video(tmp_path / "a.mp4", seconds=1.0)).take(0))
    for broken in ([], [b""], film[:1], [b"no film at all"]):
        with pytest.raises(SourceError, match="nothing of this film"):
            mp4_of(broken)


def test_another_connection_or_another_size_ends_a_film(tmp_path: Path) -> None:
    small = filled(camera_video(tmp_path / "small.ts", seconds=1.0)).take(0)
    large = filled(camera_video(tmp_path / "large.ts", seconds=1.0, size=(320, 240))).take(0)
    film = FilmMuxer(lambda _: None)
    film.add(small[0])
    with pytest.raises(FormatChangedError, match="connected again"):
        film.add(large[0])
    with pytest.raises(FormatChangedError, match="changed its format"):
        film.add(replace(large[0], format=small[0].format))
    film.abandon()


def test_parameter_sets_that_come_only_later_end_no_film(tmp_path: Path) -> None:
    packets = filled(camera_video(tmp_path / "a.ts", seconds=3.0)).take(0)
    sets = parameter_sets(packets[0].data, "h264")
    assert sets
    bare = replace(packets[0], data=packets[0].data.replace(sets, b""))
    assert not parameter_sets(bare.data, "h264")
    assert played(mp4_of(filmed([bare, *packets[1:]]))).frames == 3 * RATE


def test_a_damaged_packet_costs_the_film_its_group_of_frames_at_most(tmp_path: Path) -> None:
    packets = filled(camera_video(tmp_path / "a.ts", seconds=3.0)).take(0)
    for damage in (b"\x00" * 40, bytes(range(256)) * 4, packets[12].data[:20], packets[12].data[:6] + b"\xff" * 50):
        damaged = [replace(one, data=damage) if one.number == 12 else one for one in packets]
        assert played(mp4_of(filmed(damaged))).frames >= 2 * RATE


def test_an_error_of_the_disk_comes_out_as_it_was_raised(tmp_path: Path) -> None:
    def full(data: bytes) -> None:
        raise OSError(28, "No space left on device")

    film = FilmMuxer(full)
    packets = filled(camera_video(tmp_path / "a.mp4", seconds=3.0)).take(0)
    with pytest.raises(OSError, match="No space left") as caught:
        deque(map(film.add, packets))
    assert caught.value.errno == 28
    film.abandon()


def test_times_that_jump_or_go_back_go_on_in_the_film(tmp_path: Path) -> None:
    packets = filled(camera_video(tmp_path / "a.mp4", seconds=1.0)).take(0)
    base = packets[0].format.time_base
    hour = round(3600 / base)
    line = Timeline(base)
    moved = [replace(p, pts=p.pts + shift, dts=p.dts + shift) for shift in (5 * hour, 9 * hour, 0) for p in packets]
    times = [line.of(packet) for packet in moved]
    assert times[0][1] == 0
    assert all(after[1] > before[1] for before, after in pairwise(times))
    assert all(pts >= dts for pts, dts in times)
    assert float(times[-1][1] * base) < 4.0
