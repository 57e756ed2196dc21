"""Laws of predictions for several domains in one file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w2s_cache.data.source import list_domain
from w2s_cache.errors import DataError, WeakLogitsError
from w2s_cache.extract import other_domains
from w2s_cache.extract.imported import check_imported


@pytest.fixture
def two(bench: Any, colours: Any, tmp_path: Path) -> dict[str, Any]:
    """Changes of the bench's request: a second domain, and one file for both."""
    colours(bench.request.root, "e", per_class=2)
    changes = bench.with_spec(data={"domains": ("d", "e")})
    listings = [
        list_domain(changes["spec"].data, "tiny", bench.request.root, domain) for domain in "ed"
    ]
    paths = [entry.path for listing in listings for entry in listing.entries]
    numbers = np.arange(len(paths) * 3.0).reshape(-1, 3)
    np.savez(tmp_path / "both.npz", path=np.array(paths), logits=numbers)
    return {**changes, "weak_logits": tmp_path / "both.npz"}


def test_a_domain_takes_its_rows_from_a_file_of_all_domains(bench: Any, two: Any) -> None:
    """Rows of the other domain are no fault, and none of them is stored."""
    assert bench.run(**two).computed["logits"] == 12


def test_a_path_that_no_domain_knows_is_refused(bench: Any, two: Any, tmp_path: Path) -> None:
    """A row of a domain is known only if its image is: a misspelt path stays a fault."""
    arrays = dict(np.load(two["weak_logits"]))
    arrays["path"][0] = "e/blue/x.png"
    np.savez(tmp_path / "typo.npz", **arrays)
    with pytest.raises(WeakLogitsError, match=r"0 missing, 1 unknown \(e/blue/x.png\)"):
        bench.run(**{**two, "weak_logits": tmp_path / "typo.npz"})


def test_a_domain_that_cannot_be_listed_owns_its_folder(bench: Any) -> None:
    """Predictions for a domain that was never fetched do not stand in the way of another."""
    changes = bench.with_spec(data={"format": "domainnet", "domains": ("d", "e")})
    asked = other_domains.rows_elsewhere(replace(bench.request, **changes), "d")
    assert asked("e/blue/x.png")
    assert not asked("f/blue/x.png")


def test_other_domains_are_listed_only_when_needed(bench: Any, monkeypatch: Any) -> None:
    """A file with the rows of one domain costs no look at the others."""
    monkeypatch.setattr(other_domains, "list_domains", lambda *_: pytest.fail("listed"))
    assert bench.run().computed["logits"] == 12


@pytest.mark.parametrize("lost", ["d", "e"])
def test_absent_images_may_be_skipped_in_files_of_several_domains(
    bench: Any, two: Any, lost: str
) -> None:
    """Where images may be skipped, predictions for absent ones are still those of rows."""
    image = sorted((bench.request.root / lost).rglob("*.png"))[0]
    image.unlink()
    image.symlink_to("nothing")
    skipping = replace(bench.request, **two, on_error="skip")
    check_imported({"d": skipping, "e": skipping})
    assert bench.run(**two, on_error="skip").computed["logits"] == 12
    with pytest.raises(DataError, match="absent"):
        check_imported(dict.fromkeys("de", replace(skipping, on_error="stop")))
