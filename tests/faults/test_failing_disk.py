"""Law: a disk that refuses is one sentence, and the same command goes on when it is well."""

from __future__ import annotations

import pytest

from faults.failing_disk import FAILURES, fail_at_calls, fill_a_small_disk, fill_to_the_byte
from faults.judge import Judge


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_a_call_that_fails_is_a_sentence_and_leaves_nothing_half_done(judge, failure) -> None:
    """No temporary file stays, and afterwards every byte is right."""
    refused, tried = fail_at_calls(judge, failure, every=11)
    assert 0 < refused <= tried


def test_a_disk_with_so_many_bytes_is_a_sentence(judge: Judge) -> None:
    """Wherever the space ends, in a shard, a manifest, the index or the feature set."""
    assert fill_to_the_byte(judge, range(0, 90_000, 11_003)) > 4


def test_a_real_small_disk_is_a_sentence(judge: Judge) -> None:
    """A file system of a few pages refuses; grown, it holds every byte."""
    try:
        assert fill_a_small_disk(judge, range(3, 45, 7)) > 2
    except PermissionError as error:
        pytest.skip(f"no file system can be mounted here: {error}")
