"""The learning-rate factor."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2s_cache.schedule import learning_rate_factor

SCHEDULES = ["linear", "cosine", "constant"]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_warm_up_starts_above_zero_and_ends_at_one(schedule):
    """Of 100 steps 10 rise: 1/10 at step 0, 1/2 at step 4, 1 at step 9, still 1 at step 10."""
    at = [
        learning_rate_factor(step, total=100, warmup_ratio=0.1, schedule=schedule)
        for step in (0, 4, 9, 10)
    ]
    assert at == pytest.approx([0.1, 0.5, 1.0, 1.0])


@pytest.mark.parametrize(
    ("schedule", "middle", "last"),
    [("linear", 0.5, 1 / 90), ("cosine", 0.5, 0.00030458649), ("constant", 1.0, 1.0)],
)
def test_decay_at_its_middle_and_at_the_last_step(schedule, middle, last):
    """Closed forms: 1 − x and (1 + cos πx)/2 at x = 45/90 and 89/90; the last is above 0."""
    at = [
        learning_rate_factor(step, total=100, warmup_ratio=0.1, schedule=schedule)
        for step in (55, 99)
    ]
    assert at == pytest.approx([middle, last])
    assert at[1] > 0


def test_warm_up_steps_are_rounded_up():
    """A tenth of 13 steps are 2: half the rate, then all of it."""
    at = [learning_rate_factor(step, total=13, warmup_ratio=0.1) for step in (0, 1, 2)]
    assert at == [0.5, 1.0, 1.0]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_without_a_warm_up_the_first_step_has_the_full_rate(schedule):
    """A ratio of 0 divides by nothing."""
    assert learning_rate_factor(0, total=5, warmup_ratio=0.0, schedule=schedule) == 1.0


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_warm_up_of_all_steps_only_rises(schedule):
    """A ratio of 1 ends at the full rate, without a decay."""
    at = [
        learning_rate_factor(step, total=4, warmup_ratio=1.0, schedule=schedule)
        for step in range(4)
    ]
    assert at == [0.25, 0.5, 0.75, 1.0]


@given(
    total=st.integers(1, 300),
    ratio=st.floats(0, 1),
    schedule=st.sampled_from(SCHEDULES),
)
@settings(deadline=None, max_examples=60)
def test_factor_rises_then_never_rises_again_and_stays_in_bounds(total, ratio, schedule):
    """In (0, 1] at every step: one peak, no step wasted at rate 0."""
    factors = [
        learning_rate_factor(step, total=total, warmup_ratio=ratio, schedule=schedule)
        for step in range(total)
    ]
    assert all(0 < factor <= 1 for factor in factors)
    peak = factors.index(max(factors))
    assert factors[: peak + 1] == sorted(factors[: peak + 1])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)
