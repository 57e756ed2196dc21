"""Reads a feature pack and trusts nothing in it that its digests do not confirm."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import xxhash

from w2s_cache.cache.pack_layout import (
    DIGESTS,
    FEATURE_SET,
    FILES,
    INDEX,
    SCHEMA,
    array_digest,
    index_from_columns,
    members,
    root_attributes,
)
from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.store.check import READABLE
from w2s_cache.store.feature_set import FeatureSet, parse_feature_set
from w2s_cache.store.index import Index
from w2s_cache.store.layout import MANIFEST_FILE, VALID_DATASET, Manifest, Shard
from w2s_cache.store.manifest_json import manifest_from_json
from w2s_cache.store.shallow_json import parse_json

COLUMNS = ("path", "label", "split", "bytes", "sha256", "classes")
AGAIN = "Copy or download the file again, or pack the domain again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """An open pack whose small parts were verified; arrays are verified as they are read.

    Attributes:
        path: The file.
        file: It, open for reading.
        digests: Name of a part → its digests, one per shard for arrays.
        files: The whole files that the pack holds, by name.
        feature_set: What the pack holds.
        index: The rows of the domain.
        manifests: Of its stores, by kind.
    """

    path: Path
    file: h5py.File
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
        forms = {spec.name: (spec.row_shape, spec.dtype) for spec in manifest.arrays}
        for name, (row_shape, dtype) in {**forms, VALID_DATASET: ((), "bool")}.items():
            place, shape = f"{kind}/{name}", (manifest.rows, *row_shape)
            with _corrupt_where_unreadable(self.path):
                dataset = _dataset(self.path, self.file, place)
                if dataset.shape != shape or dataset.dtype.name != dtype:
                    text = f"shape {dataset.shape}, {dataset.dtype}"
                    raise corrupt(self.path, f"{place} of shape {shape}, {dtype}", text)
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
        with _corrupt_where_unreadable(path):
            file = stack.enter_context(h5py.File(path, "r", locking=False))
            pack = _opened(path, file)
        yield pack


def corrupt(path: Path, expected: str, found: str) -> CorruptStoreError:
    """Build the error for a file that is no sound pack."""
    return CorruptStoreError(f"pack {path}", expected=expected, found=found, fix=AGAIN)


def _opened(path: Path, file: h5py.File) -> Pack:
    if (schema := file.attrs.get("schema")) != SCHEMA:
        raise corrupt(path, f"schema {SCHEMA}", f"schema {schema!r}")
    digests = _digests(path, file)
    files = {}
    for name in file[FILES]:
        value = _dataset(path, file, f"{FILES}/{name}")[()]
        files[name] = value if isinstance(value, bytes) else value.tobytes()
        found = xxhash.xxh3_128_hexdigest(files[name])
        _confirm(path, digests, f"{FILES}/{name}", 0, found)
    feature_set = parse_feature_set(files[FEATURE_SET], path, "w2s-cache cache pack")
    columns = {name: _dataset(path, file, f"{INDEX}/{name}")[()] for name in COLUMNS}
    index = index_from_columns(columns, dataset=feature_set.dataset, domain=feature_set.domain)
    manifests = {
        kind: manifest_from_json(files[f"{kind}.{MANIFEST_FILE}"], source=f"{path}: {kind}")
        for kind in members(feature_set)
    }
    _refuse_contradictions(path, file, feature_set, index, manifests)
    return Pack(
        path=path,
        file=file,
        digests=digests,
        files=files,
        feature_set=feature_set,
        index=index,
        manifests=manifests,
    )


def _refuse_contradictions(
    path: Path,
    file: h5py.File,
    feature_set: FeatureSet,
    index: Index,
    manifests: Mapping[str, Manifest],
) -> None:
    for name, wanted in root_attributes(feature_set, len(index)).items():
        if (found := file.attrs.get(name)) != wanted:
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


def _digests(path: Path, file: h5py.File) -> dict[str, list[str]]:
    """XXH3-128 of each part, hexadecimal, by name."""
    found = parse_json(_dataset(path, file, DIGESTS)[()])
    wanted = "digests as a JSON object of lists of strings"
    if not isinstance(found, dict):
        raise corrupt(path, wanted, f"a {type(found).__name__}")
    for name, stated in found.items():
        if not isinstance(stated, list) or not all(isinstance(text, str) for text in stated):
            raise corrupt(path, wanted, f"{stated!r:.60} for {name!r:.60}")
    return found


def _dataset(path: Path, file: h5py.File, name: str) -> h5py.Dataset:
    """A dataset whose numbers are inside the file."""
    item = file.get(name)
    if not isinstance(item, h5py.Dataset) or item.external is not None or item.is_virtual:
        raise corrupt(path, f"a dataset {name} inside the file", "none")
    return item


def _confirm(
    path: Path, digests: Mapping[str, list[str]], place: str, number: int, found: str
) -> None:
    stated = digests.get(place, [])
    if number >= len(stated) or stated[number] != found:
        wanted = stated[number] if number < len(stated) else "a stated one"
        raise corrupt(path, f"{place} with digest {wanted}", found)


@contextlib.contextmanager
def _corrupt_where_unreadable(path: Path) -> Iterator[None]:
    """Whatever HDF5, JSON or a lookup raises on a damaged file is that the file is damaged."""
    try:
        yield
    except CorruptStoreError:
        raise
    except (*READABLE, TypeError, AttributeError, StoreError) as error:
        raise corrupt(path, f"a sound file of schema {SCHEMA}", str(error)) from error
