"""What is said of a pack that a library cannot read: that it is damaged, and where."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from w2s_cache.cache.pack_layout import SCHEMA
from w2s_cache.cache.pack_parts import corrupt
from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.store.check import READABLE


@contextlib.contextmanager
def corrupt_where_unreadable(path: Path) -> Iterator[None]:
    """Whatever HDF5, a text or a lookup raises on a damaged file is that the file is damaged."""
    try:
        yield
    except CorruptStoreError:
        raise
    except StoreError as error:  # whose remedy is that of a store, not of a pack
        raise corrupt(path, f"{error.expected} ({error.what})", error.found) from error
    except UnicodeDecodeError as error:
        found = f"{bytes(error.object)!r:.100}, which is no text"
        raise corrupt(path, "names in UTF-8 in its index", found) from error
    except (*READABLE, AttributeError) as error:
        said = str(error.args[0]) if error.args else type(error).__name__
        raise corrupt(path, f"a sound file of schema {SCHEMA}", said) from error
