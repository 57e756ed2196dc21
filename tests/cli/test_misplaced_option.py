"""Options of one command given to another."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "words",
    [
        ("train", "--root", "images"),
        ("train", "--root=images"),
        ("sweep", "--weak_logits", "theirs.csv"),
        ("plot", "curves", "--method", "cpl", "--domain", "art", "--root", "images"),
        ("cache", "gc", "--on-error", "skip"),
    ],
)
def test_an_option_of_extract_given_to_another_command_is_placed(w2s, words):
    """Who gives `--root` to `train` is told that it belongs to `extract`: a usage error."""
    told = w2s(*words)
    assert (told.exit_code, told.stdout) == (2, "")
    flag = [word for word in words if word.startswith("--")][-1].partition("=")[0]
    assert (
        f"No such option '{flag.replace('_', '-')}'. It belongs to `w2s-cache extract`"
        in told.stderr
    )
    assert "leave it out here" in told.stderr


@pytest.mark.parametrize(("flag", "near"), [("--rooot", ""), ("--see", "--seeds")])
def test_an_option_that_no_command_has_is_answered_as_ever(w2s, flag, near):
    """A mistyped option is refused with the nearest of this command, without a word of others."""
    told = w2s("train", flag, "x")
    assert told.exit_code == 2
    assert "No such option" in told.stderr
    assert flag in told.stderr
    assert near in told.stderr
    assert "belongs" not in told.stderr
