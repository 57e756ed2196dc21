"""The whole way of images that cannot be used: from `extract --on-error skip` into every table."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

METHODS = 'methods = ["zero-shot", "weak", "lp-kd", "cpl", "soft-class-means", "ceiling-lp"]'


@pytest.fixture(scope="module")
def spoilt(place: Any, w2s: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A copy of the data set with three broken images of `art`, extracted and trained."""
    folder: Path = tmp_path_factory.mktemp("spoilt")
    shutil.copytree(place.folder / "images", folder / "images")
    for image in sorted((folder / "images" / "art").rglob("*.png"))[5:8]:
        image.write_bytes(b"no image \x1b[2J")
    text = place.text.replace(str(place.folder / "images"), str(folder / "images"))
    text = text.replace(METHODS, 'methods = ["weak", "lp-kd"]')
    (folder / "tiny.toml").write_text(text, encoding="utf-8")
    common = ("--spec", folder / "tiny.toml", "--cache-dir", folder / "cache")
    results = (*common, "--results-dir", folder / "results")
    refused = w2s("extract", *common)
    return {
        "folder": folder,
        "refused": refused,
        "first": w2s("extract", *common, "--on-error", "skip"),
        "again": w2s("extract", *common),
        "trained": w2s("train", *results),
        "results": results,
    }


def test_without_skipping_it_stops_with_the_list_and_names_the_way_out(spoilt: Any) -> None:
    """Exit code 1, the images, and both remedies."""
    assert spoilt["refused"].exit_code == 1
    assert "(no image of a known format)" in spoilt["refused"].output
    assert "--on-error skip" in spoilt["refused"].output


def test_skipping_counts_by_domain_names_a_few_and_exits_with_3(spoilt: Any) -> None:
    """What is left out is said at once, and again by every later extraction."""
    first, again = spoilt["first"], spoilt["again"]
    assert (first.exit_code, again.exit_code) == (3, 3)
    assert "art: 60 images, 3 skipped, features 57 computed, logits 57 computed" in first.output
    assert "photo: 60 images, features 60 computed" in first.output
    assert "3 of 60 images skipped: art/blue/05.png (decode: no image" in first.output
    assert "art: 60 images, 3 skipped, the other 57 reused from the cache" in again.output
    assert "photo: 60 images, all reused from the cache" in again.output
    assert "skipped earlier" in again.output
    assert "--retry-skipped tries them again" in again.output


def test_records_count_what_both_halves_lack(spoilt: Any) -> None:
    """Skipped images are of the test half or of the training half, and in no other count."""
    assert spoilt["trained"].exit_code == 0, spoilt["trained"].output
    for file in (spoilt["folder"] / "results").rglob("record.json"):
        record = json.loads(file.read_text())
        counts = record["counts"]
        lacking = 3 if record["domain"] == "art" else 0
        assert counts["skipped"] + counts["skipped_train"] == lacking
        assert counts["fit"] + counts["val"] + counts["eval"] + counts["skipped"] == 36
        assert ("skipped_key" in record["inputs"]) == bool(lacking)


@pytest.mark.parametrize("form", ["text", "md", "latex"])
def test_every_table_says_what_its_columns_lack(w2s: Any, spoilt: Any, form: str) -> None:
    """The sentence stands under the numbers in every format that has sentences."""
    told = w2s("tables", *spoilt["results"], "--format", form)
    assert told.exit_code == 0, told.output
    assert "skipped, which could not be used" in told.output
    assert "of 36 test images" in told.output


def test_tables_for_machines_count_it_in_lines_of_their_own(w2s: Any, spoilt: Any) -> None:
    """CSV has no sentences: the block NAME:skipped has a line for each half."""
    told = w2s("tables", *spoilt["results"], "--format", "csv", "--quiet")
    lines = [row for row in csv.DictReader(io.StringIO(told.stdout)) if ":skipped" in row["table"]]
    assert {(row["row"], row["column"]) for row in lines} == {("test", "art"), ("train", "art")}
    assert sum(int(row["mean"]) for row in lines) == 3


def test_the_table_of_sizes_counts_what_its_numbers_hold(w2s: Any, spoilt: Any) -> None:
    """Sizes are those of the index; the sentence under them says how many of it are skipped."""
    told = w2s("tables", *spoilt["results"], "--table", "table2")
    assert told.exit_code == 0, told.output
    assert "skipped, which could not be used." in told.stdout
    assert "The sizes count skipped images" in told.stdout
    lines = w2s("tables", *spoilt["results"], "--table", "table2", "--format", "csv").stdout
    counts = [row for row in csv.DictReader(io.StringIO(lines)) if ":skipped" in row["table"]]
    assert {row["column"] for row in counts} == {"art"}
    assert sum(int(row["mean"]) for row in counts) == 3


@pytest.mark.parametrize("form", ["text", "md", "csv"])
def test_comparisons_say_it_too(w2s: Any, spoilt: Any, form: str) -> None:
    """Whoever reads a difference knows on how many images it rests."""
    where = ("--spec", spoilt["folder"] / "tiny.toml", *spoilt["results"][-2:])
    told = w2s("compare", "lp-kd", "--against", "weak", *where, "--format", form)
    assert told.exit_code == 0, told.output
    assert "skipped" in told.output
