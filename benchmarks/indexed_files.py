"""Image files as the index of a domain knows them, for benchmarks that have no index."""

from __future__ import annotations

import hashlib
from pathlib import Path

from w2s_cache.data.images import Content, IndexedFile


def indexed_file(path: Path) -> IndexedFile:
    """A file as it is now."""
    held = path.read_bytes()
    content = Content(size=len(held), sha256=hashlib.sha256(held).hexdigest())
    return IndexedFile(path=path, content=content)
