"""The written specification, the checker and the tests speak of the same laws."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np

from w2s_cache.store import check
from w2s_cache.store.kinds import KINDS
from w2s_cache.store.layout import SCHEMA
from w2s_cache.store.manifest_json import parse_manifest

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "feature-store.md").read_text(encoding="utf-8")
LAW = re.compile(r"FS-\d\d")


def test_every_law_of_the_document_is_checked_and_tested() -> None:
    """Document, checker and tests have the same law ids, numbered from 1 without a gap."""
    stated = re.findall(r"^- \*\*(FS-\d\d)\*\*", DOCUMENT, flags=re.MULTILINE)
    checker = Path(check.__file__).read_text(encoding="utf-8")
    tests = Path(__file__).with_name("test_check.py").read_text(encoding="utf-8")
    emitted = checker.partition("def check_store")[2]
    assert stated == [f"FS-{i:02d}" for i in range(1, len(stated) + 1)]
    assert set(LAW.findall(emitted)) == set(stated)
    assert set(LAW.findall(tests)) == set(stated)
    assert list(check.LAWS) == stated


def test_every_law_says_must() -> None:
    """A law without a MUST is a wish."""
    laws = DOCUMENT.partition("## Laws")[2].partition("\n## ")[0].split("- **FS-")[1:]
    assert all("MUST" in law for law in laws)


def test_the_document_names_schema_kinds_and_fields(store: Path) -> None:
    """Schema, kinds, arrays and all fields of the manifest are described."""
    assert SCHEMA in DOCUMENT
    for kind, arrays in KINDS.items():
        assert all(f"`{name}`" in DOCUMENT for name in (kind, *arrays))
    manifest, *_ = parse_manifest((store / "manifest.json").read_bytes(), source="manifest")
    assert all(f"`{name}`" in DOCUMENT for name in ("schema", *manifest.__slots__))


def test_the_documented_reading_with_plain_h5py_works(store: Path) -> None:
    """The example of the document runs and finds the rows of the first shard."""
    example = re.search(r"```python\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    assert example is not None
    code = example[1].replace('"part-00000.h5"', f"{str(store / 'part-00000.h5')!r}")
    names: dict[str, object] = {"h5py": h5py}
    exec(code.replace("print(", "str("), names)  # noqa: S102  # our own document
    assert np.array_equal(names["rows"], np.arange(8))  # type: ignore[arg-type]
