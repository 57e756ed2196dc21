"""The paper's split of one domain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s_cache.errors import TrainError
from w2s_cache.supervision.protocol import protocol_split

# Official test rows (Table 2 of the CPL paper) and the parts that follow by flooring each cut:
# hold = floor(0.8 n), D'_test = n - hold, fit = floor(0.8 hold), val = hold - fit.
TABLE_2 = {
    "clipart": (33525, 14604, 11683, 2921, 9346, 2337),
    "infograph": (36023, 15582, 12465, 3117, 9972, 2493),
    "painting": (50416, 21850, 17480, 4370, 13984, 3496),
    "quickdraw": (120750, 51750, 41400, 10350, 33120, 8280),
    "real": (120906, 52041, 41632, 10409, 33305, 8327),
    "sketch": (48212, 20916, 16732, 4184, 13385, 3347),
}


def halves(train, test):
    """Interleaved official halves, so that row numbers and ranks differ."""
    flags = np.zeros(train + test, dtype=bool)
    flags[np.random.default_rng(0).permutation(train + test)[:train]] = True
    return flags


@pytest.mark.parametrize("domain", TABLE_2)
def test_sizes_are_those_of_table_2(domain):
    """Every cut of every DomainNet domain has the size that Table 2 and floors imply."""
    train, test, hold, kept, fit, val = TABLE_2[domain]
    split = protocol_split(halves(train, test), seed=1)
    assert len(split.weak_train) == train
    assert len(split.full_test) == test
    assert len(split.fit) + len(split.val) == hold
    assert (len(split.test), len(split.fit), len(split.val)) == (kept, fit, val)


def test_all_six_domains_together_are_586575_images():
    """Table 2's totals: 409,832 training and 176,743 test images."""
    assert sum(row[0] for row in TABLE_2.values()) == 409_832
    assert sum(row[1] for row in TABLE_2.values()) == 176_743


@given(
    flags=st.lists(st.booleans(), min_size=0, max_size=80),
    seed=st.integers(0, 2**64),
    hold=st.sampled_from([0.5, 0.8, 0.29]),
)
def test_parts_are_a_partition_of_the_official_halves(flags, seed, hold):
    """fit, val and test are disjoint, ascending, and together the official test half."""
    flags = np.array([*flags, *[False] * 10])
    split = protocol_split(flags, seed=seed, hold_fraction=hold)
    together = np.concatenate([split.fit, split.val, split.test])
    assert sorted(together) == split.full_test.tolist() == np.flatnonzero(~flags).tolist()
    assert split.weak_train.tolist() == np.flatnonzero(flags).tolist()
    for part in (split.weak_train, split.fit, split.val, split.test, split.full_test):
        assert part.dtype == np.int64
        assert (np.diff(part) > 0).all()


def test_equal_seeds_give_equal_splits_and_others_do_not():
    """The split is a function of the official halves and the seed."""
    flags = halves(100, 100)
    one, same, other = (protocol_split(flags, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(one.fit, same.fit)
    assert np.array_equal(one.test, same.test)
    assert not np.array_equal(one.test, other.test)


def test_split_of_seed_0_stays_what_it_was():
    """Golden rows of this implementation (PCG64 raw words): a change would void every record."""
    split = protocol_split(np.zeros(10, dtype=bool), seed=0)
    parts = (split.fit.tolist(), split.val.tolist(), split.test.tolist())
    assert parts == ([0, 1, 3, 5, 7, 8], [4, 9], [2, 6])


def test_cut_is_the_floor_of_the_decimal_product():
    """0.29 of 100 rows are 29, though the product of binary floats is 28.999…."""
    assert int(0.29 * 100) == 28
    split = protocol_split(np.zeros(100, dtype=bool), seed=0, hold_fraction=0.29)
    assert len(split.test) == 71


@pytest.mark.parametrize(
    ("rows", "arguments", "said"),
    [
        (0, {}, "0 test rows"),
        (2, {}, "2 test rows"),
        (9, {"seed": -1}, "found -1"),
        (9, {"hold_fraction": 1.0}, "found 1.0"),
        (9, {"fit_fraction": float("nan")}, "found nan"),
    ],
)
def test_a_split_with_an_empty_part_is_refused(rows, arguments, said):
    """Too few rows, a negative seed and shares outside (0, 1) are errors of four parts."""
    with pytest.raises(TrainError) as caught:
        protocol_split(np.zeros(rows, dtype=bool), **{"seed": 0, **arguments})
    assert said in str(caught.value)
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))
