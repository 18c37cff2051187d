from facesecure.cadence import Cadence
from support.builders import frame_at


class ScriptedGate:
    def __init__(self, moving: set[int]) -> None:
        self.moving, self.asked = moving, []

    def moved(self, luma, at):
        self.asked.append(at)
        return round(at * 10) in self.moving


def searched(cadence: Cadence, frames: int, every: float = 0.1) -> list[int]:
    return [step for step in range(frames) if cadence.due(frame_at(step * every))]


def test_a_quiet_scene_is_never_searched():
    gate = ScriptedGate(set())
    assert searched(Cadence(gate, interval=0, linger=1, following=lambda: False), 50) == []
    assert len(gate.asked) == 50


def test_after_a_movement_it_goes_on_looking_for_a_while():
    cadence = Cadence(ScriptedGate({10}), interval=0, linger=0.5, following=lambda: False)
    assert searched(cadence, 50) == [10, 11, 12, 13, 14, 15]


def test_a_face_that_stands_still_is_still_followed():
    cadence = Cadence(ScriptedGate({0}), interval=0, linger=0.2, following=lambda: True)
    assert searched(cadence, 20) == list(range(20))


def test_searches_keep_their_distance():
    cadence = Cadence(None, interval=0.3, linger=0, following=lambda: False)
    assert searched(cadence, 10) == [0, 3, 6, 9]


def test_without_a_gate_everything_counts_as_moving():
    cadence = Cadence(None, interval=0, linger=0, following=lambda: False)
    assert searched(cadence, 3) == [0, 1, 2]
    assert cadence.moving
