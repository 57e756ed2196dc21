"""Laws of the commands that messages name."""

import shlex

import pytest

from w2s_cache.command_line import command_line, number_ranges


def test_options_stand_as_they_are_typed():
    """Names with commas, seeds as ranges, settings as JSON, flags alone; nothing where empty."""
    told = command_line(
        "train",
        curves=True,
        spec=None,
        method=("lp-kd", "cpl"),
        domain=(),
        seeds=[4, 0, 1, 2, 7],
        strong_checkpoint="weights.pt",
        set={"tau": [1, 0.1], "words": "a photo of a"},
        dry_run=False,
    )
    assert shlex.split(told) == [
        *("w2s-cache", "train", "--curves", "--method", "lp-kd,cpl", "--seeds", "0-2,4,7"),
        *("--strong-checkpoint", "weights.pt", "--set", "tau=[1, 0.1]"),
        *("--set", "words=a photo of a"),
    ]


def test_a_shell_reads_names_back():
    """Blanks, quotes and dollars are quoted."""
    name = "my 'birds' $HOME.toml"
    assert shlex.split(command_line("train", spec=name))[-1] == name


@pytest.mark.parametrize(
    ("numbers", "text"),
    [((), ""), ((3,), "3"), ((1, 0), "0-1"), ((5, 0, 1, 2, 1), "0-2,5"), ((-1, 0, 1), "-1,0-1")],
)
def test_neighbours_are_ranges(numbers, text):
    """Ascending, each once; negative numbers are no part of a range."""
    assert number_ranges(numbers) == text
