"""Laws of `--memory`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_a_limit_changes_where_features_are_and_no_number(
    w2s: Any, cached: Any, files: Any, tmp_path: Path
) -> None:
    """With `--memory 1kB` every domain is said to be read from disk; all that is kept is equal."""
    asked = ("--spec", cached.spec, "--cache-dir", cached.cache, "--method", "cpl,lp-kd")
    for name, options in (("plain", ()), ("limited", ("--memory", "1kB"))):
        done = w2s("train", *asked, "--results-dir", tmp_path / name, *options)
        assert done.exit_code == 0, done.output
        assert done.stderr.count("read from disk") == (2 if options else 0)
    kept = [
        {path: content for path, content in files(tmp_path / name).items() if "record" not in path}
        for name in ("plain", "limited")
    ]
    assert len(kept[0]) == 24
    assert kept[0] == kept[1]


@pytest.mark.parametrize("size", ["4", "many", "-1GB", "4XB"])
def test_what_is_no_size_is_a_usage_error(w2s: Any, cached: Any, size: str) -> None:
    """A number without unit is ambiguous and refused like any other word."""
    done = w2s("train", "--spec", cached.spec, "--memory", size)
    assert done.exit_code == 2
    assert "no size such as 4GB" in done.stderr


@pytest.mark.parametrize(
    ("text", "size"), [("1.5kB", 1500), ("4 GB", 4_000_000_000), ("2GiB", 2**31), ("7B", 7)]
)
def test_sizes_are_decimal_unless_they_say_otherwise(text: str, size: int) -> None:
    """1 kB is 1000 bytes, 1 KiB 1024."""
    from w2s_cache_cli import options

    assert options._size(None, None, text) == size
