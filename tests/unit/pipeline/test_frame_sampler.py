from facesecure.pipeline.frame_sampler import FrameSampler
from support.builders import frame_at


class ScriptedGate:
    """Reports movement on the given frames, numbered in tenths of a second."""

    regions = ((0.25, 0.5, 0.75, 1.0),)

    def __init__(self, moving: set[int]) -> None:
        self.steps, self.asked, self.moving = moving, [], False

    def moved(self, luma, at):
        self.asked.append(at)
        self.moving = round(at * 10) in self.steps
        return self.moving


def searched(sampler: FrameSampler, frames: int, every: float = 0.1) -> list[int]:
    return [step for step in range(frames) if sampler.should_detect(frame_at(step * every))]


def test_a_quiet_scene_is_never_searched_and_the_gate_sees_every_frame():
    gate = ScriptedGate(set())
    assert searched(FrameSampler(gate, interval=0, following=lambda: False), 50) == []
    assert len(gate.asked) == 50


def test_what_the_gate_lets_through_is_searched():
    assert searched(FrameSampler(ScriptedGate({10, 11}), interval=0, following=lambda: False), 50) == [10, 11]


def test_a_face_that_stands_still_is_still_followed():
    assert searched(FrameSampler(ScriptedGate({0}), interval=0, following=lambda: True), 20) == list(range(20))


def test_searches_keep_their_distance():
    everything = ScriptedGate(set(range(10)))
    assert searched(FrameSampler(everything, interval=0.3, following=lambda: False), 10) == [0, 3, 6, 9]


def test_once_nothing_moves_the_lingering_look_is_unhurried():
    class LingeringGate(ScriptedGate):
        def moved(self, luma, at):
            super().moved(luma, at)
            return True

    sampler = FrameSampler(LingeringGate({0, 1, 2}), interval=0.1, following=lambda: False)
    assert searched(sampler, 12) == [0, 1, 2, 6, 10]


def test_it_passes_on_whether_the_latest_frame_moved():
    sampler = FrameSampler(ScriptedGate({1}), interval=0, following=lambda: False)
    searched(sampler, 2)
    assert sampler.moving
    sampler.should_detect(frame_at(0.2))
    assert not sampler.moving


def test_it_passes_on_where_the_latest_frame_moved():
    assert FrameSampler(ScriptedGate({1}), interval=0, following=lambda: False).regions == ((0.25, 0.5, 0.75, 1.0),)
