from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy.training.schedule import FINAL_SHARE, learning_rate

PLANS = st.tuples(st.integers(2, 2000), st.floats(1e-6, 1.0), st.floats(0.0, 1.0)).map(
    lambda plan: (plan[0], plan[1], max(1, round(plan[2] * plan[0])))
)


def rates(total: int, peak: float, warmup: int) -> list[float]:
    return [learning_rate(step, total, peak, warmup) for step in range(total)]


def test_known_values():
    assert rates(8, 1.0, 4)[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates(8, 1.0, 4)[4:] == pytest.approx([1.0, 0.8682, 0.55, 0.2318], abs=1e-4)


@given(PLANS)
def test_climbs_straight_then_only_falls_and_never_leaves_its_bounds(plan):
    total, peak, warmup = plan
    found = rates(total, peak, warmup)
    assert found[:warmup] == pytest.approx([peak * (i + 1) / warmup for i in range(min(warmup, total))])
    falling = found[warmup - 1 :]
    assert all(later <= earlier * (1 + 1e-9) for earlier, later in pairwise(falling))
    assert all(0 < rate <= peak * (1 + 1e-9) for rate in found)
    assert min(falling, default=peak) >= FINAL_SHARE * peak * (1 - 1e-9)


@given(PLANS)
def test_has_no_jump(plan):
    total, peak, warmup = plan
    found = rates(total, peak, warmup)
    steepest = max(1 / warmup, 3.15 / 2 / max(total - warmup, 1)) * peak
    assert all(abs(b - a) <= steepest * 1.01 for a, b in pairwise(found))


@given(PLANS)
def test_would_end_at_its_final_share(plan):
    total, peak, warmup = plan
    if warmup < total:
        assert learning_rate(total, total, peak, warmup) == pytest.approx(FINAL_SHARE * peak)
