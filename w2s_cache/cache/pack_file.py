"""Reads a feature pack and trusts nothing in it that its digests do not confirm."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import xxhash

from w2s_cache.cache.pack_damage import corrupt_where_unreadable
from w2s_cache.cache.pack_layout import (
    DIGESTS,
    FEATURE_SET,
    FILES,
    INDEX,
    INDEX_FILE,
    SCHEMA,
    array_digest,
    index_from_columns,
    members,
    root_attributes,
)
from w2s_cache.cache.pack_parts import Parts, corrupt
from w2s_cache.errors import StoreError
from w2s_cache.store.feature_set import FeatureSet, parse_feature_set
from w2s_cache.store.index import Index
from w2s_cache.store.index_agreement import disagreements
from w2s_cache.store.layout import (
    FAILURES_FILE,
    MANIFEST_FILE,
    VALID_DATASET,
    Manifest,
    Shard,
)
from w2s_cache.store.manifest_json import manifest_from_json
from w2s_cache.store.shallow_json import parse_json

COLUMNS = {"path": "S", "label": "i", "split": "S", "bytes": "i", "sha256": "S", "classes": "S"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """An open pack whose small parts were verified; arrays are verified as they are read.

    Attributes:
        path: The file.
        parts: It, open for reading.
        digests: Name of a part → its digests, one per shard for arrays.
        files: The whole files that the pack holds, by name.
        feature_set: What the pack holds.
        index: The rows of the domain.
        manifests: Of its stores, by kind.
    """

    path: Path
    parts: Parts
    digests: Mapping[str, list[str]]
    files: Mapping[str, bytes]
    feature_set: FeatureSet
    index: Index
    manifests: Mapping[str, Manifest]

    def arrays(self, kind: str, number: int, shard: Shard) -> dict[str, np.ndarray]:
        """The arrays of one shard as stored, in the manifest's order, then ``valid``.

        Raises:
            CorruptStoreError: They are absent, of another form, or not those that were packed.
        """
        manifest, found = self.manifests[kind], {}
        for name, (shape, dtype) in _forms(manifest).items():
            place = f"{kind}/{name}"
            with corrupt_where_unreadable(self.path):
                dataset = self.parts.array(place, shape=shape, dtype=dtype)
                values = dataset[shard.start : shard.stop]
            _confirm(self.path, self.digests, place, number, array_digest(values))
            found[name] = values
        return found


@contextlib.contextmanager
def open_pack(path: Path) -> Iterator[Pack]:
    """Open a pack and verify all of it but the arrays.

    Raises:
        StoreError: There is no such file.
        CorruptStoreError: It is no pack of this version, or its parts do not fit together.
    """
    if not path.is_file():
        raise StoreError(
            f"pack {path}",
            expected=f"a file of schema {SCHEMA}",
            found="a folder" if path.exists() else "no such file",
            fix="Name a file that `w2s-cache cache pack` wrote.",
        )
    with contextlib.ExitStack() as stack:
        with corrupt_where_unreadable(path):
            file = stack.enter_context(h5py.File(path, "r", locking=False))
            pack = _opened(path, file)
        yield pack


def _opened(path: Path, file: h5py.File) -> Pack:
    parts = Parts(path=path, file=file)
    if (schema := parts.attribute("schema")) != SCHEMA or file.userblock_size:
        raise corrupt(path, f"schema {SCHEMA}", f"schema {schema!r}")
    digests = _digests(parts)
    text = _file(parts, digests, FEATURE_SET)
    feature_set = parse_feature_set(text, path, "w2s-cache cache pack")
    kinds = members(feature_set)
    files = {FEATURE_SET: text, **_files(parts, digests, kinds)}
    index = _index(parts, feature_set)
    manifests = {
        kind: manifest_from_json(files[f"{kind}.{MANIFEST_FILE}"], source=f"{path}: {kind}")
        for kind in kinds
    }
    _refuse_contradictions(parts, feature_set, index, manifests)
    _refuse_other_forms(parts, manifests)
    return Pack(
        path=path,
        parts=parts,
        digests=digests,
        files=files,
        feature_set=feature_set,
        index=index,
        manifests=manifests,
    )


def _files(
    parts: Parts, digests: Mapping[str, list[str]], kinds: Collection[str]
) -> dict[str, bytes]:
    """The files of the index and the stores, by name."""
    failures = {f"{kind}.{FAILURES_FILE}" for kind in kinds}
    wanted = {INDEX_FILE, *(f"{kind}.{MANIFEST_FILE}" for kind in kinds)}
    parts.refuse_surplus(FILES, {FEATURE_SET, *wanted, *failures})
    there = {name for name in failures if parts.has(f"{FILES}/{name}")}
    return {name: _file(parts, digests, name) for name in sorted(wanted | there)}


def _file(parts: Parts, digests: Mapping[str, list[str]], name: str) -> bytes:
    place = f"{FILES}/{name}"
    content = parts.text(place) if name.endswith(".json") else parts.content(place)
    _confirm(parts.path, digests, place, 0, xxhash.xxh3_128_hexdigest(content))
    return content


def _index(parts: Parts, feature_set: FeatureSet) -> Index:
    parts.refuse_surplus(INDEX, COLUMNS)
    rows = parts.attribute("rows")
    if not isinstance(rows, np.integer):
        raise corrupt(parts.path, "attribute rows, an integer", repr(rows))
    columns = {
        name: parts.column(
            f"{INDEX}/{name}", kind=kind, rows=None if name == "classes" else int(rows)
        )
        for name, kind in COLUMNS.items()
    }
    return index_from_columns(columns, dataset=feature_set.dataset, domain=feature_set.domain)


def _refuse_other_forms(parts: Parts, manifests: Mapping[str, Manifest]) -> None:
    """A pack holds the arrays that its manifests name, in their form, and nothing else."""
    parts.refuse_surplus("", {DIGESTS, FILES, INDEX, *manifests})
    for kind, manifest in manifests.items():
        forms = _forms(manifest)
        parts.refuse_surplus(kind, forms)
        for name, (shape, dtype) in forms.items():
            parts.array(f"{kind}/{name}", shape=shape, dtype=dtype)


def _forms(manifest: Manifest) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and dtype of each array of a store in a pack, ``valid`` last."""
    forms = {s.name: ((manifest.rows, *s.row_shape), s.dtype) for s in manifest.arrays}
    return {**forms, VALID_DATASET: ((manifest.rows,), "bool")}


def _refuse_contradictions(
    parts: Parts, feature_set: FeatureSet, index: Index, manifests: Mapping[str, Manifest]
) -> None:
    path = parts.path
    for name, wanted in root_attributes(feature_set, len(index)).items():
        if (found := parts.attribute(name)) != wanted:
            raise corrupt(path, f"attribute {name} {wanted!r}", repr(found))
    if index.digest != feature_set.index_digest:
        raise corrupt(path, f"an index of digest {feature_set.index_digest}", index.digest)
    for kind, ref in members(feature_set).items():
        manifest = manifests[kind]
        rows = len(index.classes) if kind == "text" else len(index)
        due = (kind, ref.key_digest, rows, True)
        stated = (manifest.kind, manifest.key_digest, manifest.rows, manifest.complete)
        if stated != due:
            raise corrupt(path, f"kind, key, rows and completeness {due}", f"{stated}")
        for other in disagreements(manifest, index):
            expected = f"{kind} made from {other.field} {other.wanted}, as in its index"
            raise corrupt(path, expected, f"{other.stored}")


def _digests(parts: Parts) -> dict[str, list[str]]:
    """XXH3-128 of each part, hexadecimal, by name."""
    path, text = parts.path, parts.text(DIGESTS)
    wanted = "digests as a JSON object of lists of strings"
    try:
        found = parse_json(text)
    except ValueError as error:
        raise corrupt(path, wanted, f"{text[:40]!r} …, which is no JSON") from error
    if not isinstance(found, dict):
        raise corrupt(path, wanted, f"a {type(found).__name__}")
    for name, stated in found.items():
        if not isinstance(stated, list) or not all(isinstance(text, str) for text in stated):
            raise corrupt(path, wanted, f"{stated!r:.60} for {name!r:.60}")
    return found


def _confirm(
    path: Path, digests: Mapping[str, list[str]], place: str, number: int, found: str
) -> None:
    stated = digests.get(place, [])
    if number >= len(stated) or stated[number] != found:
        wanted = stated[number] if number < len(stated) else "a stated one"
        raise corrupt(path, f"{place} with digest {wanted}", found)
