"""The parts of a feature pack, each refused by what its metadata claims before it is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import h5py
import numpy as np

from w2s_cache.errors import CorruptStoreError
from w2s_cache.store.flat_dataset import flatness_problem

AGAIN: Final = "Copy or download the file again, or pack the domain again."
_LENGTH: Final = 4  # bytes, little-endian, with which HDF5 begins a string of varying length


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """An open pack, of which only what is named and fits is read.

    Every method raises CorruptStoreError for a part that is absent, behind a soft or external
    link, of another form, or not wholly inside the file.

    Attributes:
        path: The file.
        file: It, open for reading.
    """

    path: Path
    file: h5py.File

    def attribute(self, name: str) -> object:
        """One value of the root; None where there is none."""
        if name not in self.file.attrs:
            return None
        claimed = self.file.attrs.get_id(name)
        if claimed.shape != () or claimed.get_storage_size() > self._size():
            raise corrupt(self.path, f"one value as attribute {name}", f"shape {claimed.shape}")
        return self.file.attrs[name]

    def refuse_surplus(self, group: str, known: Iterable[str]) -> None:
        """Refuse a group that holds more than what is known; nothing of it is read."""
        found = self._group(group) if group else self.file
        if surplus := sorted(set(found) - set(known)):
            names = ", ".join(repr(name) for name in surplus[:3])
            place = group or "its root"
            raise corrupt(self.path, f"nothing but {', '.join(sorted(known))} in {place}", names)

    def has(self, name: str) -> bool:
        """Whether anything, of whatever form, has a name in a group that is there."""
        group, _, leaf = name.rpartition("/")
        return leaf in self._group(group)

    def text(self, name: str) -> bytes:
        """The bytes of one UTF-8 string."""
        dataset = self.dataset(name)
        string = h5py.check_string_dtype(dataset.dtype)
        if dataset.shape != () or string is None or string.length is not None:
            raise self._other_form(name, "one UTF-8 string", dataset)
        with self.path.open("rb") as raw:
            raw.seek(dataset.id.get_offset())
            length = int.from_bytes(raw.read(_LENGTH), "little")
        if length > self._size():
            raise corrupt(self.path, f"{name} inside the file", f"a string of {length} bytes")
        return bytes(dataset[()])

    def content(self, name: str) -> bytes:
        """The bytes of a vector of bytes."""
        dataset = self.dataset(name)
        if len(dataset.shape) != 1 or dataset.dtype != np.uint8:
            raise self._other_form(name, "bytes", dataset)
        return bytes(dataset[()].tobytes())

    def column(self, name: str, *, kind: str, rows: int | None) -> np.ndarray:
        """A column of the index: (rows,) int64 for kind ``"i"``, fixed-length for ``"S"``."""
        dataset = self.dataset(name)
        fits = dataset.dtype == np.int64 if kind == "i" else dataset.dtype.kind == kind
        if not fits or len(dataset.shape) != 1 or rows not in (None, dataset.shape[0]):
            wanted = "int64" if kind == "i" else "fixed-length strings"
            raise self._other_form(name, f"{rows or 'some'} entries, {wanted}", dataset)
        return np.asarray(dataset[()])

    def array(self, name: str, *, shape: tuple[int, ...], dtype: str) -> h5py.Dataset:
        """An array of a store, not read yet."""
        dataset = self.dataset(name)
        if dataset.shape != shape or dataset.dtype.name != dtype:
            raise self._other_form(name, f"shape {shape}, {dtype}", dataset)
        return dataset

    def dataset(self, name: str) -> h5py.Dataset:
        """A dataset that lies in the file as it is: contiguous, unfiltered, within its end."""
        item = self._item(name)
        if not isinstance(item, h5py.Dataset):
            raise corrupt(self.path, f"a dataset {name} inside the file", "none")
        if problem := flatness_problem(item, self._size()):
            raise corrupt(self.path, f"{name} contiguous inside the file", problem)
        return item

    def _group(self, name: str) -> h5py.Group:
        item = self._item(name)
        if not isinstance(item, h5py.Group):
            raise corrupt(self.path, f"a group {name} inside the file", "none")
        return item

    def _item(self, name: str) -> object:
        """What a name leads to by hard links alone."""
        item: object = self.file
        for word in name.split("/"):
            if not isinstance(item, h5py.Group):
                return None
            if not isinstance(item.get(word, getlink=True), h5py.HardLink):
                return None
            item = item[word]
        return item

    def _size(self) -> int:
        return self.path.stat().st_size

    def _other_form(self, name: str, wanted: str, found: h5py.Dataset) -> CorruptStoreError:
        return corrupt(self.path, f"{name} of {wanted}", f"shape {found.shape}, {found.dtype}")


def corrupt(path: Path, expected: str, found: str) -> CorruptStoreError:
    """Build the error for a file that is no sound pack."""
    return CorruptStoreError(f"pack {path}", expected=expected, found=found, fix=AGAIN)
