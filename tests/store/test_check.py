"""A zoo of broken stores: each mutation breaks the law beside it and, where possible, no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from w2s_cache.store.check import LAWS, Violation, check_store
from w2s_cache.store.failures import read_failures, write_failures
from w2s_cache.store.layout import FAILURES_FILE, MANIFEST_FILE
from w2s_cache.store.shard import content_digest

MIDDLE = "part-00001.h5"  # rows 8..16, of which row 9 is invalid


def manifest(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """A mutation of the manifest's fields."""

    def mutate(store: Path) -> None:
        path = store / MANIFEST_FILE
        fields = json.loads(path.read_text())
        change(fields)
        path.write_text(json.dumps(fields))

    return mutate


def shard(change: Callable[[h5py.File], object]) -> Callable[[Path], None]:
    """A mutation of the middle shard by HDF5, its new size and digest listed in the manifest."""

    def mutate(store: Path) -> None:
        with h5py.File(store / MIDDLE, "r+") as file:
            change(file)
        content = (store / MIDDLE).read_bytes()
        reseal(store, content)

    return mutate


def reseal(store: Path, content: bytes) -> None:
    """Put content in the middle shard's place, list its size and digest; failures follow."""
    (store / MIDDLE).write_bytes(content)
    new = {"bytes": len(content), "digest": content_digest(content)}
    manifest(lambda fields: fields["shards"][1].update(new))(store)
    [told] = read_failures(store).values()
    write_failures(store, {new["digest"]: told})


def told(change: Callable[[Any], Any]) -> Callable[[Path], None]:
    """A mutation of the table of failures."""

    def mutate(store: Path) -> None:
        table = change(pq.read_table(store / FAILURES_FILE))
        pq.write_table(table, store / FAILURES_FILE)

    return mutate


def column(name: str, value: Any) -> Callable[[Any], Any]:
    """A change of one value in the table of failures."""

    def change(table: Any) -> Any:
        place = table.schema.get_field_index(name)
        field = table.schema.field(place)
        return table.set_column(place, field, pa.array([value], field.type))

    return change


def replaced(name: str, **how: Any) -> Callable[[h5py.File], None]:
    """A mutation that makes a dataset anew with other storage."""

    def change(file: h5py.File) -> None:
        values = how.pop("data", file[name][()])
        del file[name]
        file.create_dataset(name, data=values, **how)

    return change


def assign(name: str, where: Any, value: Any) -> Callable[[h5py.File], None]:
    """A mutation of some numbers in place."""

    def change(file: h5py.File) -> None:
        file[name][where] = value

    return change


def flip_a_bit(store: Path) -> None:
    """Damage that leaves the size as it is: one number, 10.25, changes in its last place."""
    content = bytearray((store / MIDDLE).read_bytes())
    content[content.index(np.float32(10.25).tobytes())] ^= 1
    (store / MIDDLE).write_bytes(content)


def external(file: h5py.File) -> None:
    """Numbers that live in another file."""
    values = file["features"][()]
    del file["features"]
    file.create_dataset("features", data=values, external=[("elsewhere.bin", 0, values.nbytes)])


ZOO: list[tuple[str, Callable[[Path], object], set[str]]] = [
    ("no manifest", lambda s: (s / MANIFEST_FILE).unlink(), {"FS-01"}),
    ("manifest cut short", lambda s: (s / MANIFEST_FILE).write_text('{"schema"'), {"FS-01"}),
    ("unknown field", manifest(lambda m: m.update(color=1)), {"FS-01"}),
    ("text for a number", manifest(lambda m: m.update(rows="20")), {"FS-01"}),
    ("next version", manifest(lambda m: m.update(schema="w2s-cache/feature-store/2")), {"FS-02"}),
    (
        "next version with a new field",
        manifest(lambda m: m.update(schema="w2s-cache/feature-store/2", color=1)),
        {"FS-01", "FS-02"},
    ),
    ("false key digest", manifest(lambda m: m.update(key_digest="0" * 64)), {"FS-03"}),
    ("edited key", manifest(lambda m: m["key"].update(storage="x")), {"FS-03", "FS-10"}),
    ("other kind", manifest(lambda m: m.update(kind="logits")), {"FS-04", "FS-10"}),
    ("shards out of order", manifest(lambda m: m["shards"].reverse()), {"FS-05"}),
    ("unlisted shard", manifest(lambda m: m["shards"].pop()), {"FS-06", "FS-16"}),
    ("shard removed", lambda s: (s / MIDDLE).unlink(), {"FS-07"}),
    ("wrong size listed", manifest(lambda m: m["shards"][1].update(bytes=1)), {"FS-07"}),
    ("flipped bit", flip_a_bit, {"FS-08"}),
    ("no HDF5", lambda s: reseal(s, b"no HDF5"), {"FS-09"}),
    ("empty file", lambda s: reseal(s, b""), {"FS-09"}),
    ("other start", shard(lambda f: f.attrs.modify("start", 0)), {"FS-10"}),
    ("no kind", shard(lambda f: f.attrs.__delitem__("kind")), {"FS-10"}),
    ("surplus dataset", shard(lambda f: f.create_dataset("x", data=[1])), {"FS-11"}),
    ("group for an array", shard(lambda f: (f.pop("row"), f.create_group("row"))), {"FS-11"}),
    ("no mask", shard(lambda f: f.pop("valid")), {"FS-11"}),
    ("float64", shard(replaced("features", dtype="f8")), {"FS-11"}),
    ("too few rows", shard(replaced("row", data=np.arange(8, 15))), {"FS-11"}),
    ("chunked", shard(replaced("features", chunks=(2, 4))), {"FS-12"}),
    ("compressed", shard(replaced("features", compression="gzip")), {"FS-12"}),
    ("chunked mask", shard(replaced("valid", chunks=(2,))), {"FS-12"}),
    ("big-endian", shard(replaced("features", dtype=">f4")), {"FS-12"}),
    ("external", shard(external), {"FS-12", "FS-16"}),
    ("other row numbers", shard(assign("row", slice(None), np.arange(8))), {"FS-13"}),
    ("zeros for an invalid row", shard(assign("features", 1, 0)), {"FS-14"}),
    ("half a number for an invalid row", shard(assign("features", (1, 2), 0)), {"FS-14"}),
    ("NaN in a valid row", shard(assign("features", (0, 0), np.nan)), {"FS-15"}),
    ("inf in a valid row", shard(assign("features", (0, 0), np.inf)), {"FS-15"}),
    ("temporary file", lambda s: (s / f"{MIDDLE}.tmp-1").write_bytes(b""), {"FS-16"}),
    ("directory", lambda s: (s / "more").mkdir(), {"FS-16"}),
    ("failures lost", lambda s: (s / FAILURES_FILE).unlink(), {"FS-18"}),
    (
        "failures cut short",
        lambda s: (s / FAILURES_FILE).write_bytes(b"PAR1"),
        {"FS-17", "FS-18"},
    ),
    ("failure without a message", told(lambda t: t.drop(["message"])), {"FS-17", "FS-18"}),
    ("failures of no schema", told(lambda t: t.replace_schema_metadata({})), {"FS-17", "FS-18"}),
    ("failure at no stage", told(column("stage", "elsewhere")), {"FS-17", "FS-18"}),
    (
        "failures out of order",
        told(lambda t: pa.concat_tables([t, t])),
        {"FS-17", "FS-18"},
    ),
    ("failure of a valid row", told(column("row", 10)), {"FS-18"}),
    ("failure of another shard's bytes", told(column("shard", "0" * 32)), {"FS-18"}),
]


@pytest.mark.parametrize(("mutate", "laws"), [case[1:] for case in ZOO], ids=[c[0] for c in ZOO])
def test_each_broken_store_violates_exactly_its_laws(
    store: Path, monkeypatch: pytest.MonkeyPatch, mutate: Callable[[Path], object], laws: set[str]
) -> None:
    """The checker names the laws that a mutation breaks and no others."""
    monkeypatch.chdir(store)  # where HDF5 puts external files
    mutate(store)
    assert {violation.law for violation in check_store(store)} == laws


def test_every_law_has_a_broken_store() -> None:
    """The zoo covers all laws."""
    assert set().union(*(laws for *_, laws in ZOO)) == set(LAWS)


@pytest.mark.parametrize("rows", [10**12, 10**30, 0, -1])
def test_impossible_sizes_are_one_finding(store: Path, rows: int) -> None:
    """Claims that no store can meet are judged before anything is listed for their rows."""
    manifest(lambda m: m.update(rows=rows, shard_rows=8))(store)
    found = [v for v in check_store(store) if v.law in {"FS-05", "FS-06"}]
    assert [v.law for v in found] == ["FS-05"]


def test_absent_shards_that_adjoin_are_one_gap(store: Path) -> None:
    """FS-06 names ranges of rows, however many shards would have held them."""
    manifest(lambda m: m.update(rows=8 * 10**5, shards=m["shards"][1:2]))(store)
    found = [v.message for v in check_store(store) if v.law == "FS-06"]
    assert found == ["rows 0..8 are in no shard", "rows 16..800000 are in no shard"]


def test_a_dataset_that_claims_more_than_memory_is_not_read(store: Path) -> None:
    """A shard whose array is declared huge, and so named by the manifest, costs no memory."""
    width = 1 << 40

    def claim(file: h5py.File) -> None:
        del file["features"]
        file.create_dataset("features", shape=(8, width), dtype="f4")

    shard(claim)(store)
    manifest(lambda m: m["arrays"][0].update(row_shape=[width]))(store)
    messages = [v.message for v in check_store(store) if v.law == "FS-12"]
    assert len(messages) == 1
    assert str(8 * width * 4) in messages[0]


def test_the_numbers_of_lawful_shards_are_shown_as_they_are_read(store: Path) -> None:
    """An observer sees every shard without a violation, in order, and none that has one."""
    flip_a_bit(store)
    seen: dict[int, np.ndarray] = {}
    check_store(store, observe=lambda s, arrays: seen.update({s.start: arrays["features"]}))
    assert list(seen) == [0, 16]
    np.testing.assert_array_equal(seen[16][:, 0], [16, 17, 18, 19])


def test_all_violations_are_listed_with_their_place(store: Path) -> None:
    """Several defects in several files are all reported, in one go."""
    (store / "part-00000.h5").unlink()
    flip_a_bit(store)
    (store / "notes.txt").write_text("x")
    manifest(lambda m: m.update(key_digest="0" * 64))(store)
    found = check_store(store)
    assert [v.law for v in found] == ["FS-03", "FS-07", "FS-08", "FS-16"]
    assert "part-00000.h5" in found[1].message
    assert "part-00001.h5" in found[2].message
    assert "notes.txt" in found[3].message


def test_a_violation_reads_as_a_sentence() -> None:
    """Printed, a violation names its number, the law and the finding."""
    text = str(Violation(law="FS-08", message="part-00000.h5 has a, listed b"))
    assert text.startswith("FS-08 violated (every listed file hashes")
    assert text.endswith("part-00000.h5 has a, listed b")
