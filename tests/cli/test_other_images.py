"""FSET-6 in every command: rows are joined by the images in the keys, not by their number."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from w2s_cache.store.fingerprint import digest

OTHER = {"images": "0" * 64, "classes": ["x", "y", "z"]}
REFUSING = {
    "train": ("train", "--method", "weak", "--seeds", "0", "--results-dir", "{new}"),
    "export": ("export", "--output", "{new}"),
    "verify --recompute": ("cache", "verify", "--recompute", "2"),
    "pack": ("cache", "pack", "--output", "{new}"),
    "tables of sizes": ("tables", "--table", "{sizes}", "--results-dir", "{new}"),
}
SIZES = """
name = "sizes"
title = "Sizes"
content = "sizes"
"""


def relabel(cache: Path, kind: str, field: str) -> None:
    """Features of art whose own key names other images or classes; sizes and counts are as due."""
    [listed] = cache.glob("v1/tiny/art/sets/*.json")
    stated = json.loads(listed.read_text())
    manifest = cache / stated[kind]["path"] / "manifest.json"
    fields = json.loads(manifest.read_text())
    fields["key"][field] = OTHER[field]
    fields["key_digest"] = stated[kind]["key_digest"] = digest(fields["key"])
    manifest.write_text(json.dumps(fields))
    listed.write_text(json.dumps(stated))


@pytest.mark.parametrize("words", REFUSING.values(), ids=REFUSING)
@pytest.mark.parametrize(
    ("kind", "field"), [("image", "images"), ("logits", "images"), ("text", "classes")]
)
def test_a_store_of_other_images_is_refused_by_name(
    cached: Any,
    w2s: Callable[..., Any],
    copy: Path,
    tmp_path: Path,
    words: tuple[str, ...],
    kind: str,
    field: str,
) -> None:
    """As many rows of others: one sentence names the field, and nothing is written."""
    relabel(copy, kind, field)
    (tmp_path / "sizes.toml").write_text(SIZES)
    places = {"new": tmp_path / "new", "sizes": tmp_path / "sizes.toml"}
    told = w2s(
        *(word.format(**places) for word in words),
        *(("--domain", "art") if words[0] != "tables" else ()),
        *(("--spec", cached.spec) if words[1] != "pack" else ()),
        *("--cache-dir", copy),
    )
    if words[0] == "tables" and kind == "text":  # sizes are of images alone
        assert told.exit_code == 0
        return
    assert told.exit_code == 1, told.output
    assert "Traceback" not in told.output
    assert any(f"{field}{end}" in told.output for end in (" =", "[0] =", " 0000", " ['x'"))
    assert not [path for path in (tmp_path / "new").rglob("*") if path.is_file()]


@pytest.mark.parametrize(("kind", "field"), [("image", "images"), ("logits", "classes")])
def test_extraction_reuses_no_store_of_other_images(
    cached: Any, w2s: Callable[..., Any], copy: Path, kind: str, field: str
) -> None:
    """It says so, computes that store anew, and training then works."""
    relabel(copy, kind, field)
    where = ("--spec", cached.spec, "--domain", "art", "--cache-dir", copy)
    told = w2s("extract", *where)
    assert told.exit_code == 0, told.output
    assert "was made from other images or classes" in told.output
    assert f"{ {'image': 'features'}.get(kind, kind) } 60 computed" in told.output
    train = w2s("train", *where, "--method", "weak", "--results-dir", copy.parent / "r")
    assert train.exit_code == 0, train.output
