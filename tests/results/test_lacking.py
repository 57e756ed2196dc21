"""Laws of runs that are needed and not there."""

import shlex

import pytest

from w2s_cache.errors import RecordError
from w2s_cache.results.lacking import Needed, cure, grouped, refuse_lacking

LACKING = [
    Needed(method, domain, seed)
    for method, domains in {"lp-kd": ("real", "sketch"), "cpl": ("real", "sketch")}.items()
    for domain in domains
    for seed in (3, 4)
]


def test_runs_that_lack_the_same_share_a_group():
    """Methods, domains and seeds stand once each; another pattern is a group of its own."""
    assert grouped(LACKING) == "lp-kd, cpl on real, sketch with seeds 3-4"
    more = [*LACKING, Needed("cpl", "art", 0)]
    told = "lp-kd, cpl on real, sketch with seeds 3-4; cpl on art with seed 0"
    assert grouped(more) == told


def test_one_command_makes_all():
    """Every needed run is among its combinations."""
    more = [*LACKING, Needed("weak", "art", 0)]
    _, command, *words = shlex.split(cure(more))
    named = {flag: text.split(",") for flag, text in zip(words[::2], words[1::2], strict=True)}
    assert command == "train"
    assert named["--method"] == ["lp-kd", "cpl", "weak"]
    assert named["--domain"] == ["real", "sketch", "art"]
    assert named["--seeds"] == ["0", "3-4"]


def test_without_any_place_the_methods_are_named():
    """Where no domain and seed is known, there is no run at all."""
    with pytest.raises(RecordError, match=r"no run at all\. Run `w2s-cache train --method cpl`"):
        refuse_lacking([], methods=["cpl"], domains=[], seeds=[])
