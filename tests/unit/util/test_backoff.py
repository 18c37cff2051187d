"""Delays between attempts."""

from __future__ import annotations

import random

from facesecure.util.backoff import Backoff, BackoffPolicy


def test_pauses_double_up_to_the_longest_and_vary_by_a_third() -> None:
    backoff = Backoff(8.0)
    pauses = [backoff.pause() for _ in range(7)]
    for pause, full in zip(pauses, (0.5, 1, 2, 4, 8, 8, 8), strict=True):
        assert full * 2 / 3 <= pause <= full
    assert len(set(pauses)) == 7


def test_success_makes_the_next_pause_short_again() -> None:
    backoff = Backoff(30.0)
    for _ in range(5):
        backoff.pause()
    backoff.reset()
    assert backoff.pause() <= 0.5


def test_it_is_never_a_busy_loop_and_never_longer_than_asked() -> None:
    backoff = Backoff(0.2)
    assert all(0.1 < backoff.pause() <= 0.2 for _ in range(20))


def test_a_policy_doubles_its_delays_up_to_the_longest() -> None:
    policy = BackoffPolicy(first=5.0, longest=60.0)
    assert [policy.delay(failures) for failures in range(6)] == [5, 10, 20, 40, 60, 60]
    assert policy.delay(10_000) == 60


def test_jitter_multiplies_the_delay_and_can_be_reproduced() -> None:
    policy = BackoffPolicy(first=30.0, longest=1800.0, jitter=(0.8, 1.2))
    delays = [policy.delay(2, random.Random(seed)) for seed in range(200)]
    assert 96 <= min(delays) < 100
    assert 140 < max(delays) <= 144
    assert policy.delay(2, random.Random(7)) == policy.delay(2, random.Random(7))
