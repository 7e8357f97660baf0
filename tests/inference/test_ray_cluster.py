"""What Ray says in pages is told in one sentence."""

import errno

import pytest

pytest.importorskip("ray")

from ray.exceptions import ActorDiedError, RayTaskError, WorkerCrashedError

from buddy.errors import BuddyError, EnvironmentFault, UserMistake
from buddy.inference.ray_cluster import joined_cluster


@pytest.fixture
def told(monkeypatch):
    """Give what is said of an error that ends the work on a cluster."""
    monkeypatch.setattr("ray.init", lambda **_: None)
    monkeypatch.setattr("ray.shutdown", lambda: None)

    def told(error: Exception) -> BuddyError:
        with pytest.raises(BuddyError) as found, joined_cluster(None, "Go on."):
            raise error
        assert found.value.__cause__ is error
        return found.value

    return told


def of_a_task(cause: Exception) -> RayTaskError:
    return RayTaskError("cut", "Traceback (most recent call last):\n  pages", cause, "ray::cut()", 1, "10.0.0.1")


def test_an_error_of_a_worker_is_told_as_on_this_machine(told):
    full = of_a_task(OSError(errno.ENOSPC, "No space left on device", "/tmp/rows.csv"))
    for error in (full, full.as_instanceof_cause(), ActorDiedError(full)):
        fault = told(error)
        assert isinstance(fault, EnvironmentFault)
        assert str(fault) == (
            "The work on the Ray cluster failed: /tmp/rows.csv: No space left on device; free some space and try "
            "again. Go on."
        )


def test_a_sentence_of_buddys_stays_what_it_is(told):
    mistake = UserMistake("The model needs PyTorch.")
    assert told(of_a_task(mistake).as_instanceof_cause()) is mistake


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (WorkerCrashedError(), "WorkerCrashedError: The worker died unexpectedly while executing this task. Check"),
        (ActorDiedError(), "ActorDiedError: The actor died unexpectedly before finishing this task. Go on."),
        (of_a_task(RuntimeError("not found\nin all these places")), "failed: RuntimeError: not found. Go on."),
        (of_a_task(MemoryError()), "failed: memory ran out. Go on."),
    ],
)
def test_of_any_other_the_first_line_is_told(told, error, sentence):
    assert sentence in str(told(error))
    assert "\n" not in str(told(error))


def test_what_this_process_raises_is_left_alone(monkeypatch):
    monkeypatch.setattr("ray.init", lambda **_: None)
    with pytest.raises(KeyError), joined_cluster(None):
        raise KeyError("a defect")


def test_a_cluster_that_is_slow_to_start_is_told_in_a_sentence(monkeypatch):
    def fail(**_):
        raise Exception("The current node timed out during startup.\nLong story.")

    monkeypatch.setattr("ray.init", fail)
    with (
        pytest.raises(UserMistake, match=r"used at local: The current node timed out during startup\.$"),
        joined_cluster(None),
    ):
        pass
