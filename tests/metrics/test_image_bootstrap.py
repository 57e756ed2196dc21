"""Laws of the bootstrap over images and of what is read from it."""

import numpy as np
import pytest

from w2s_cache.metrics import (
    Outcomes,
    estimate_difference,
    estimate_gap,
    gather_outcomes,
    resample_images,
)


def outcomes(images, seeds, methods, *, shares, rng):
    """Random outcomes; an image has a difficulty of its own that all seeds and methods share."""
    difficulty = rng.random((images, 1, 1))
    noise = rng.random((images, seeds, methods))
    right = 0.6 * difficulty + 0.4 * noise < np.array(shares)
    present = rng.random((images, seeds)) < 0.5
    kept = present.any(axis=1)
    return Outcomes(present=present[kept], right=(right & present[..., None])[kept])


def difference(domains, first=0, second=1, resamples=500, seed=0):
    """The estimate of one method minus another over the average of domains."""
    drawn = resample_images(domains, resamples=resamples, generator=np.random.default_rng(seed))
    averages = drawn.accuracy.mean(axis=1)
    value = np.mean([d.accuracy()[first] - d.accuracy()[second] for d in domains])
    return estimate_difference(value, averages[:, first] - averages[:, second])


@pytest.fixture
def study():
    """Two domains with three methods, of which the first two are one and the same."""
    rng = np.random.default_rng(3)
    drawn = [outcomes(80, 3, 3, shares=(0.5, 0.5, 0.6), rng=rng) for _ in range(2)]
    for domain in drawn:
        domain.right[..., 1] = domain.right[..., 0]
    return drawn


def test_the_same_generator_gives_the_same_resamples(study):
    """Chance comes from the generator alone; other seeds give other numbers."""
    one, again, other = (
        resample_images(study, resamples=50, generator=np.random.default_rng(seed))
        for seed in (0, 0, 1)
    )
    assert np.array_equal(one.accuracy, again.accuracy)
    assert not np.array_equal(one.accuracy, other.accuracy)


def test_identical_methods_differ_by_nothing(study):
    """Value and interval are 0 and p is 1, because every resample keeps methods paired."""
    told = difference(study)
    assert (told.value, told.low, told.high, told.p) == (0, 0, 0, 1)


def test_exchanging_the_methods_turns_every_sign(study):
    """A against B is minus B against A, with the same p."""
    one, other = difference(study, 0, 2), difference(study, 2, 0)
    assert (one.value, one.p) == (-other.value, other.p)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


def test_a_resample_of_one_image_is_the_image():
    """With nothing to choose from, every resample is the data."""
    only = gather_outcomes([["a"], ["a"]], [np.array([[True, False]]), np.array([[True, True]])])
    drawn = resample_images([only], resamples=4, generator=np.random.default_rng(0))
    assert drawn.accuracy[:, 0].tolist() == [[1.0, 0.5]] * 4
    assert drawn.right[:, 0].tolist() == [[2, 1]] * 4


def test_a_seed_that_was_not_drawn_is_left_out():
    """Of two images in two seeds, a resample of one image twice has that seed's accuracy."""
    two = gather_outcomes([["a"], ["b"]], [np.array([[True]]), np.array([[False]])])
    drawn = resample_images([two], resamples=200, generator=np.random.default_rng(0))
    assert set(drawn.accuracy.ravel().tolist()) == {0.0, 0.5, 1.0}


def test_images_shared_between_seeds_widen_the_interval():
    """Four seeds on the same images know as little as one; on four times as many, half the width.

    The rows are the same in number and in outcome; for independent rows the width goes with
    1/sqrt(rows), so the ratio is sqrt(4) = 2.
    """
    rng = np.random.default_rng(5)
    right = rng.random((400, 2)) < (0.5, 0.6)
    same = [f"{n}" for n in range(400)]
    apart = [[f"{seed}/{n}" for n in range(400)] for seed in range(4)]
    shared = difference([gather_outcomes([same] * 4, [right] * 4)], resamples=2000)
    separate = difference([gather_outcomes(apart, [right] * 4)], resamples=2000)
    assert shared.value == separate.value
    ratio = (shared.high - shared.low) / (separate.high - separate.low)
    assert ratio == pytest.approx(2, rel=0.1)


def test_the_spread_of_one_seed_is_the_textbook_s():
    """For one seed the interval is ± 1.96 standard errors of the mean paired difference."""
    rng = np.random.default_rng(6)
    right = rng.random((500, 2)) < (0.5, 0.6)
    told = difference([gather_outcomes([[str(n) for n in range(500)]], [right])], resamples=4000)
    error = np.std(right[:, 0].astype(float) - right[:, 1]) / np.sqrt(500)
    assert (told.high - told.low) / 2 == pytest.approx(1.96 * error, rel=0.05)


def test_intervals_cover_the_truth():
    """Of 300 studies with images shared by 4 seeds, about 95 % of the intervals hold the truth.

    An image is right for both methods, the first or the second alone, or neither, with chances
    0.45, 0.15, 0.05 and 0.35: the truth is 0.10. With 300 studies the standard error of the
    coverage is 1.3 %. Intervals that took the 4 × 120 rows for independent, half as wide, would
    cover 67 %.
    """
    rng = np.random.default_rng(8)
    kinds = np.array([[True, True], [True, False], [False, True], [False, False]])
    covered, naive = [], []
    for number in range(300):
        right = kinds[rng.choice(4, size=120, p=[0.45, 0.15, 0.05, 0.35])]
        names = [str(n) for n in range(120)]
        told = difference([gather_outcomes([names] * 4, [right] * 4)], resamples=400, seed=number)
        covered.append(told.low <= 0.1 <= told.high)
        naive.append(abs(told.value - 0.1) <= (told.high - told.low) / 4)
    assert 0.91 <= np.mean(covered) <= 0.98
    assert np.mean(naive) < 0.75


def test_p_counts_the_rarer_side():
    """Of 99 resamples 4 are not above 0: p = 2 (4 + 1)/100; 2.5 % of 98 steps lies at -0.55."""
    told = estimate_difference(0.5, np.array([-1.0] * 3 + [0.0] + [1.0] * 95))
    assert told.p == pytest.approx(0.1)
    assert (told.low, told.high) == pytest.approx((-0.55, 1))


def test_the_gap_s_interval_leaves_out_resamples_without_a_gap():
    """(m − w)/(c − w) by hand: 0.5, 1.0 and one resample whose ceiling is the weak model."""
    resampled = np.array([[0.5, 0.4, 0.6], [0.6, 0.4, 0.6], [0.5, 0.5, 0.5]])
    told = estimate_gap((0.55, 0.4, 0.6), resampled)
    assert told.value == pytest.approx(0.75)
    assert (told.low, told.high) == pytest.approx((0.5125, 0.9875))
    assert told.gapless == 1


@pytest.mark.parametrize("ceiling", [0.4, 0.3])
def test_no_gap_has_no_interval(ceiling):
    """Where the ceiling is not above the weak model nothing is estimated."""
    told = estimate_gap((0.5, 0.4, ceiling), np.array([[0.5, 0.4, 0.6]]))
    assert (told.value, told.low, told.high, told.gapless) == (None, None, None, 0)
