"""Laws of the manifest's JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from w2s_cache.errors import CorruptStoreError, NewerStoreError
from w2s_cache.store.layout import ArraySpec, Manifest, Shard
from w2s_cache.store.manifest_json import manifest_from_json, manifest_to_json


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
        edited(schema="w2s-cache/feature-store/0"),
        "schema 'w2s-cache/feature-store/0'",
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
    with pytest.raises(CorruptStoreError, match="it computes the store anew") as caught:
        manifest_from_json(text, source="here/manifest.json")
    assert found in caught.value.found
    assert "here/manifest.json" in caught.value.what


@pytest.mark.parametrize("more", [{}, {"surplus": 1}], ids=["same fields", "other fields"])
def test_the_manifest_of_a_newer_version_is_not_called_broken(more: dict[str, Any]) -> None:
    """Whoever would replace a broken manifest leaves that of a later version alone."""
    with pytest.raises(NewerStoreError, match=r"schema w2s-cache/feature-store/12\. Use that"):
        manifest_from_json(edited(schema="w2s-cache/feature-store/12", **more))


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
