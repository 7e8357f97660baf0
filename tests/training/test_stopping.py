import os
import signal

import pytest

from buddy.training.stopping import EarlyStopping, stop_on_signal


def test_patience_counts_evaluations_since_the_best():
    stopping = EarlyStopping(patience=2)
    found = []
    for step, score in enumerate([0.3, 0.2, 0.4, 0.4, 0.1]):
        found.append((stopping.is_new_best(score, step), stopping.best_step, stopping.is_exhausted()))
    assert found == [(True, 0, False), (False, 0, False), (True, 2, False), (False, 2, False), (False, 2, True)]


def test_without_patience_nothing_is_ever_exhausted():
    stopping = EarlyStopping(patience=0)
    assert [stopping.is_new_best(-step, step) for step in range(50)].count(True) == 1
    assert not stopping.is_exhausted()


def test_negative_scores_can_be_best():
    assert EarlyStopping(patience=1).is_new_best(-5.0, 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_asks_and_the_second_does_what_it_did_before(number):
    received = []
    before = signal.signal(number, lambda *_: received.append("before"))
    try:
        with stop_on_signal() as stop:
            assert not stop
            os.kill(os.getpid(), number)
            assert stop
            assert stop.signal_number == number
            assert received == []
            os.kill(os.getpid(), number)
            assert received == ["before"]
        os.kill(os.getpid(), number)
        assert received == ["before", "before"]
    finally:
        signal.signal(number, before)
