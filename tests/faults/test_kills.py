"""Law: after SIGKILL at any moment the same extraction ends with the same bytes."""

from __future__ import annotations

import pytest

from faults.calls import count_calls
from faults.judge import Judge
from faults.kills import kill_at_calls, kill_at_moments, kill_at_system_calls
from faults.runs import WeakModel
from faults.system_calls import untraceable


def test_a_kill_before_any_call_costs_at_most_a_shard(judge: Judge) -> None:
    """Every file ends byte-identical, and no more than one shard is encoded twice."""
    kill_at_calls(judge, range(4, 400, 19))
    assert judge.tally.kills > 10


def test_a_kill_in_the_middle_of_a_write_costs_at_most_a_shard(judge: Judge) -> None:
    """Half a file under a temporary name is no file."""
    kill_at_calls(judge, range(1, 40, 4), torn=True)
    assert judge.tally.kills > 5


def test_a_kill_at_a_random_moment_costs_at_most_a_shard(judge: Judge) -> None:
    """Whatever the process is doing, also where no call of ours is being made."""
    kill_at_moments(judge, kills=12, seed=7)
    assert judge.tally.recomputed <= 4


def test_a_kill_before_any_system_call_costs_at_most_a_shard(judge: Judge) -> None:
    """The same where the kernel is asked, by whatever library."""
    if why := untraceable():
        pytest.skip(why)
    calls = kill_at_system_calls(judge, first=5, every=29)
    assert calls > 100


def test_the_calls_that_are_visited_are_those_of_a_commit(judge: Judge) -> None:
    """Locks, writes, flushes, renames and removals are all among them."""
    names = set(count_calls(judge.home, judge.work))
    commit = {"open", "write", "fsync", "close", "replace", "unlink", "mkdir", "flock"}
    assert names >= commit | {"write_table"}


def test_the_judge_sees_a_shard_too_many(judge: Judge) -> None:
    """Encoding two shards twice is not passed over."""
    judge.work()
    judge.extraction.encoded.add(8)
    with pytest.raises(AssertionError, match="8 rows were encoded again"):
        judge.judge()


def test_a_killed_training_leaves_a_weak_model_or_none(folder) -> None:
    """What was killed is trained again to the same files, and its temporaries are cleared."""
    weak = WeakModel(folder=folder / "weak")
    if untraceable():
        kill_at_calls(weak, range(0, 60, 3))
    else:
        kill_at_system_calls(weak, first=2, every=4)
    assert weak.tally.kills > 5
    assert weak.tally.leftovers == 0
