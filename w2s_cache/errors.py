"""Every error a user can meet, one class per cause a caller may treat differently.

    W2SError
      SpecError            a spec file is not what it should be
      UnknownNameError     a method, domain, encoder, spec … that does not exist
      DataError            the data set on disk is not what the spec says
        ImageError         images that cannot be decoded, all of them listed
      EncoderError         a model cannot be built or its weights do not fit
        NoTextTowerError   an encoder without a text tower that prompts can be learned through
      WeakLogitsError      imported weak predictions do not match the data set
      ImportedFeaturesError  imported features do not match what is declared or the data set
      ExportError          features cannot be exported
      StoreError           something about the feature store
        StaleStoreError    the store was made with other settings, each difference named
        CorruptStoreError  bytes on disk are not the bytes that were written
          BrokenManifestError  the manifest of a store is not one that could be used
        NewerStoreError    a newer version of w2s-cache made the store
        StoreWriteError    no space, no permission
      NeighbourError       a search for neighbours cannot be done as asked
      TrainError           training cannot start or went wrong
      RecordError          a run record is missing, broken or of another protocol
      PlotError            a figure cannot be drawn from what there is
      DownloadError        a download failed or its hash differs

Each message has four parts: what is wrong, what was expected, what was found, what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from w2s_cache.printable import printable

__all__ = [
    "BrokenManifestError",
    "CorruptStoreError",
    "DataError",
    "DownloadError",
    "EncoderError",
    "ExportError",
    "ImageError",
    "ImportedFeaturesError",
    "NeighbourError",
    "NewerStoreError",
    "NoTextTowerError",
    "PlotError",
    "RecordError",
    "SpecError",
    "StaleStoreError",
    "StoreError",
    "StoreWriteError",
    "TrainError",
    "UnknownNameError",
    "W2SError",
    "WeakLogitsError",
]


_SHOWN = 60  # characters of a value in a message


def shown(value: object) -> str:
    """A value as messages show it: no longer than a line."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no integer of thousands of digits
        return "an integer of thousands of digits"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


class W2SError(Exception):
    """Base of all errors; the four parts are keyword-only so that none is forgotten.

    Args:
        what: The subject and what is wrong with it, without a final period.
        expected: What would have been right.
        found: What is there instead.
        fix: The next step for the person who reads it, an imperative sentence.
    """

    def __init__(self, what: str, *, expected: str, found: str, fix: str) -> None:
        self.what, self.expected, self.found, self.fix = what, expected, found, fix
        super().__init__(printable(f"{what}: expected {expected}, found {found}. {fix}"))

    def __reduce__(self) -> tuple[object, ...]:
        """Lets a process hand its error to the one that started it."""
        return _restored, (type(self), self.args, vars(self))


def _restored(
    kind: type[W2SError], args: tuple[object, ...], fields: dict[str, object]
) -> W2SError:
    error = kind.__new__(kind, *args)
    vars(error).update(fields)
    return error


class SpecError(W2SError):
    """A spec file is not what it should be."""


class UnknownNameError(W2SError):
    """A name that does not exist; the nearest known names are offered.

    Args:
        kind: What the name should name, e.g. ``"method"``.
        name: The name that was given.
        known: All names that exist.
        otherwise: What to do where none of these is meant, a sentence.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, otherwise: str = "") -> None:
        names = sorted(known)
        spelt = {known.lower(): known for known in reversed(names)}
        close = difflib.get_close_matches(name.lower(), spelt, n=3, cutoff=0.5)
        near = [spelt[lowered] for lowered in close]
        self.kind, self.name, self.known = kind, name, names
        fix = f"Did you mean {' or '.join(map(repr, near))}?" if near else "Choose a known one."
        super().__init__(
            f"unknown {kind}",
            expected=_listed(names),
            found=repr(name),
            fix=f"{fix} {otherwise}".rstrip(),
        )


def _listed(names: list[str]) -> str:
    shown = 20
    if len(names) <= shown:
        return f"one of {', '.join(names) or '(none)'}"
    return f"one of {len(names)} known names, such as {', '.join(names[:3])}"


class DataError(W2SError):
    """The data set on disk is not what the spec says."""


class ImageError(DataError):
    """Images that cannot be decoded; the message lists them."""


class EncoderError(W2SError):
    """A model cannot be built, or its weights do not fit it."""


class NoTextTowerError(EncoderError):
    """Prompts cannot be learned through this encoder, with whatever weights."""


class WeakLogitsError(W2SError):
    """Imported weak predictions do not match the data set."""


class ImportedFeaturesError(W2SError):
    """Imported features do not match what is declared of them, or the data set."""


class ExportError(W2SError):
    """Features cannot be exported: something is not there, or something is in the way."""


class StoreError(W2SError):
    """Something about the feature store."""


class StaleStoreError(StoreError):
    """The store was made with other settings; the message names each difference."""


class CorruptStoreError(StoreError):
    """Bytes on disk are not the bytes that were written."""


class BrokenManifestError(CorruptStoreError):
    """The manifest of a store is not one: nothing says what its files are."""


class NewerStoreError(StoreError):
    """A newer version of w2s-cache made the store."""


class StoreWriteError(StoreError):
    """The store cannot be written: no space or no permission."""


class NeighbourError(W2SError):
    """A search for neighbours cannot be done as asked."""


class TrainError(W2SError):
    """Training cannot start, or its numbers went wrong."""


class RecordError(W2SError):
    """A run record is missing, broken or of another protocol."""


class PlotError(W2SError):
    """A figure cannot be drawn: something to draw, or matplotlib itself, is missing."""


class DownloadError(W2SError):
    """A download failed or its hash differs."""
