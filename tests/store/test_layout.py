"""Laws of the manifest's JSON, of slugs and of places."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.store.grid import shard_file, shard_ranges
from w2s_cache.store.layout import (
    ArraySpec,
    Manifest,
    Shard,
    domain_path,
    index_path,
    manifest_from_json,
    manifest_to_json,
    slug,
    store_path,
)


def shard(i: int, start: int, stop: int) -> Shard:
    """Entry i of a list of shards."""
    return Shard(file=f"part-{i:05d}.h5", start=start, stop=stop, bytes=7, digest="0" * 32)


MANIFEST = Manifest(
    kind="image",
    key={"encoder": {"tag": "openai"}, "scale": 0.5, "none": None},
    rows=20,
    shard_rows=8,
    arrays=(ArraySpec(name="features", row_shape=(4,), dtype="float16"),),
    shards=(shard(0, 0, 8), shard(1, 8, 16), shard(2, 16, 20)),
    attributes={"domain": "real"},
    created="2025-01-01T00:00:00+00:00",
    tool={"h5py": "3"},
)


def test_manifest_survives_its_json() -> None:
    """Writing and reading a manifest are inverse."""
    text = manifest_to_json(MANIFEST)
    assert manifest_from_json(text) == MANIFEST
    assert manifest_to_json(manifest_from_json(text)) == text


def test_complete_means_every_row_once() -> None:
    """A manifest is complete when its shards cover [0, rows), and counts its rows."""
    assert MANIFEST.complete
    partial = replace(MANIFEST, shards=(MANIFEST.shards[0], MANIFEST.shards[2]))
    assert (partial.complete, partial.stored_rows) == (False, 12)


@settings(deadline=None)
@given(st.integers(1, 500), st.integers(1, 60))
def test_the_grid_covers_all_rows_in_order(rows: int, shard_rows: int) -> None:
    """Shard ranges are adjacent, start at 0, end at rows, and their names are numbered from 0."""
    grid = shard_ranges(rows, shard_rows)
    assert [r for a, b in grid for r in range(a, b)] == list(range(rows))
    names = [shard_file(a, shard_rows) for a, _ in grid]
    assert names == [f"part-{i:05d}.h5" for i in range(len(grid))]


def edited(**changes: Any) -> str:
    """The manifest's JSON with some fields replaced."""
    return json.dumps({**json.loads(manifest_to_json(MANIFEST)), **changes})


def without(field: str) -> str:
    """The manifest's JSON without a field."""
    fields = json.loads(manifest_to_json(MANIFEST))
    del fields[field]
    return json.dumps(fields)


def shards(*rows: tuple[int, int, int]) -> list[dict[str, Any]]:
    """The JSON of shards (i, start, stop)."""
    parts = [shard(*row) for row in rows]
    names = ("file", "start", "stop", "bytes", "digest")
    return [{name: getattr(part, name) for name in names} for part in parts]


REFUSED = {
    "no JSON": ("{", "not JSON"),
    "a list": ("[]", "no JSON object"),
    "empty file": ("", "not JSON"),
    "unknown field": (edited(color=1), "color: Unexpected"),
    "missing field": (without("rows"), "rows: Field required"),
    "missing schema": (without("schema"), "schema None"),
    "missing key digest": (without("key_digest"), "no string schema and key_digest"),
    "text for a number": (edited(rows="20"), "rows: Input should be a valid integer"),
    "float for a number": (edited(rows=20.0), "rows: Input should be a valid int"),
    "true for a number": (edited(rows=True), "rows: Input should be a valid int"),
    "unknown field of a shard": (edited(shards=[{**shards((0, 0, 8))[0], "x": 1}]), "shards.0.x"),
    "NaN in the key": (edited(key={"a": float("nan")}), "NaN is not a number"),
    "other schema": (
        edited(schema="w2s-cache/feature-store/2"),
        "schema 'w2s-cache/feature-store/2'",
    ),
    "other key": (edited(key={}), "key_digest"),
    "no rows": (edited(rows=0, shards=[]), "0 rows"),
    "no rows per shard": (edited(shard_rows=0, shards=[]), "0 rows per shard"),
    "unknown kind": (edited(kind="audio"), "kind 'audio', none of image"),
    "no required array": (edited(arrays=[]), "no array 'features'"),
    "overlapping shards": (edited(shards=shards((0, 0, 8), (0, 4, 12))), "overlaps"),
    "doubled shard": (edited(shards=shards((0, 0, 8), (0, 0, 8))), "overlaps"),
    "shards out of order": (edited(shards=shards((1, 8, 16), (0, 0, 8))), "precedes"),
    "shard off the grid": (edited(shards=shards((0, 0, 7))), "off the grid"),
    "shard beyond the rows": (edited(shards=shards((2, 16, 24))), "off the grid"),
    "misnamed shard": (edited(shards=shards((7, 0, 8))), "is named 'part-00007.h5'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_whatever_a_writer_would_not_write_is_refused(case: str) -> None:
    """Each departure from the format is an error that says what was found."""
    text, found = REFUSED[case]
    with pytest.raises(CorruptStoreError, match="Delete the store's directory") as caught:
        manifest_from_json(text, source="here/manifest.json")
    assert found in caught.value.found
    assert "here/manifest.json" in caught.value.what


def spec(name: str, shape: list[int], dtype: str) -> dict[str, Any]:
    """The JSON of an array's declaration."""
    return {"name": name, "row_shape": shape, "dtype": dtype}


@pytest.mark.parametrize(
    ("kind", "arrays", "found"),
    [
        ("image", [spec("features", [4], "float64")], "dtype float64"),
        ("image", [spec("features", [4, 4], "float32")], "not rank 1"),
        ("image", [spec("features", [0], "float32")], "row shape (0,)"),
        ("image", [spec("features", [4], "float32")] * 2, "names that repeat"),
        ("image", [spec("features", [4], "float32"), spec("x", [4], "float32")], "unknown to kind"),
        ("logits", [spec("logits", [4], "float16")], "dtype float16"),
        ("text", [spec("features", [4], "float32")], "not rank 2"),
    ],
)
def test_arrays_must_fit_the_kind(kind: str, arrays: list[Any], found: str) -> None:
    """Every kind admits its own arrays, ranks and dtypes only."""
    with pytest.raises(CorruptStoreError) as caught:
        manifest_from_json(edited(kind=kind, arrays=arrays))
    assert found in caught.value.found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("RN50", "RN50"),
        ("ViT-B-32:openai", "ViT-B-32@openai"),
        ("hf-hub:timm/ViT-B-16-SigLIP", "hf-hub@timm+ViT-B-16-SigLIP"),
        ("real_world", "real_world"),
    ],
)
def test_slugs_of_usual_names_are_readable(name: str, expected: str) -> None:
    """Names of models and domains stay recognisable; golden forms follow the written rule."""
    assert slug(name) == expected


NAMES = st.text(max_size=80) | st.from_regex(r"[A-Za-z:/_.@+-]{0,12}", fullmatch=True)


@settings(deadline=None)
@given(NAMES)
def test_every_slug_is_one_safe_path_component(name: str) -> None:
    """No slug has a separator, a dot at an end, a double underscore or surprising length."""
    made = slug(name)
    assert made
    assert all(c.isascii() and (c.isalnum() or c in "._-@+") for c in made)
    assert made[0].isalnum()
    assert made[-1].isalnum()
    assert ".." not in made
    assert "__" not in made
    assert len(made) <= 64


@settings(deadline=None)
@given(NAMES, NAMES)
def test_different_names_have_different_slugs(a: str, b: str) -> None:
    """Slugs keep names apart."""
    assert (slug(a) == slug(b)) == (a == b)


@pytest.mark.parametrize(
    "name", ["", "..", "../up", "a/../b", "/abs", "con", "NUL.txt", "text", "ü", "a__b"]
)
def test_awkward_names_get_a_hash(name: str) -> None:
    """Names that could not be kept as they are carry 8 digits of their hash."""
    assert len(slug(name).rpartition("-")[2]) == 8


def test_places_of_stores() -> None:
    """Image and logits stores lie below their domain, text stores beside the domains."""
    home, key = Path("/home"), "0123456789abcdef"
    image = store_path(
        home, dataset="domainnet", domain="real", kind="image", name="RN50:openai", key_digest=key
    )
    text = store_path(home, dataset="domainnet", kind="text", name="RN50:openai", key_digest=key)
    assert image == home / "v1/domainnet/real/image/RN50@openai-0123456789ab"
    assert text == home / "v1/domainnet/text/RN50@openai-0123456789ab"


@pytest.mark.parametrize("domain", ["text", "Text"])
def test_no_domain_lies_where_the_texts_of_its_data_set_lie(domain: str) -> None:
    """A domain called text has a folder of its own, also where letters have no case."""
    home, names = Path("/home"), {"dataset": "d", "name": "m", "key_digest": "0" * 64}
    texts = store_path(home, kind="text", **names).parent.as_posix().lower()
    image = store_path(home, kind="image", domain=domain, **names)
    for place in (image, index_path(home, "d", domain), domain_path(home, "d", domain)):
        assert not f"{place.as_posix()}/".lower().startswith(f"{texts}/")


@pytest.mark.parametrize(("kind", "domain"), [("image", None), ("text", "real"), ("audio", "real")])
def test_a_store_without_a_place_is_refused(kind: str, domain: str | None) -> None:
    """A kind that needs a domain cannot do without, and the other way round."""
    with pytest.raises(StoreError, match="cannot be placed"):
        store_path(Path(), dataset="d", domain=domain, kind=kind, name="m", key_digest="0" * 64)
