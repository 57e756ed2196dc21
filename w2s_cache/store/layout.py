"""The shape of a store on disk: file names, places and the values of the manifest."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from pydantic import ConfigDict

from w2s_cache.errors import StoreError
from w2s_cache.store.fingerprint import digest
from w2s_cache.store.grid import shard_ranges
from w2s_cache.store.kinds import KINDS

SCHEMA: Final = "w2s-cache/feature-store/1"
MANIFEST_FILE: Final = "manifest.json"
FAILURES_FILE: Final = "failures.parquet"
LOCK_FILE: Final = ".writer.lock"
SOFT_LOCK_FILE: Final = ".writer.soft"
OWNER_FILE: Final = ".writer.json"
TEMPORARY_MARK: Final = ".tmp-"
ROW_DATASET: Final = "row"
VALID_DATASET: Final = "valid"
INVALID_INTEGER: Final = -1
STRICT: Final = ConfigDict(strict=True, extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArraySpec:
    """One named array; row r of the store holds ``row_shape`` numbers of ``dtype``."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    name: str
    row_shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One published file: rows [start, stop), its size in bytes, XXH3-128 of the whole file."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    file: str
    start: int
    stop: int
    bytes: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything a reader trusts about a store.

    Args:
        kind: A name of ``kinds.KINDS``.
        key: All settings that change the numbers.
        rows: Number of rows of the complete store.
        shard_rows: Rows per shard; the last shard may be shorter.
        arrays: The arrays every shard holds.
        shards: Published shards, by ascending start.
        attributes: Facts that do not change the numbers (device, library versions, ``domain``).
        created: When the store was begun, ISO 8601 in UTC.
        tool: Versions of what wrote the files.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: str
    key: dict[str, Any]
    rows: int
    shard_rows: int
    arrays: tuple[ArraySpec, ...]
    shards: tuple[Shard, ...]
    attributes: dict[str, Any]
    created: str
    tool: dict[str, str]

    @property
    def key_digest(self) -> str:
        """The sha256 of the canonical key, hexadecimal."""
        return digest(self.key)

    @property
    def complete(self) -> bool:
        """Whether the shards cover [0, rows) exactly."""
        return [(s.start, s.stop) for s in self.shards] == shard_ranges(self.rows, self.shard_rows)

    @property
    def stored_rows(self) -> int:
        """How many rows the published shards hold."""
        return sum(shard.stop - shard.start for shard in self.shards)

    def width(self, name: str) -> int:
        """Length of the vectors of an array that it declares, e.g. ``"features"``."""
        return {spec.name: spec.row_shape[-1] for spec in self.arrays}[name]


def slug(name: str) -> str:
    """Make a readable name that every file system accepts as one path component.

    Letters, digits, ``.``, ``_`` and ``-`` stay, ``:`` becomes ``@`` and ``/`` becomes ``+``. A
    name that this cannot express (other characters, a punctuation mark at either end, a double
    underscore or point, more than 64 characters, a device name of Windows, ``text``, where the
    texts of a data set lie beside its domains) is cleaned and gets the first 8 digits of its
    sha256, so that two names do not share a slug by accident.
    """
    if re.fullmatch(r"[A-Za-z0-9._:/-]+", name) and _plain_name(name):
        return name.replace(":", "@").replace("/", "+")
    cleaned = re.sub(r"[^A-Za-z0-9]+", "-", name)[:48].strip("-") or "name"
    return f"{cleaned}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def store_path(
    home: Path, *, dataset: str, kind: str, name: str, key_digest: str, domain: str | None = None
) -> Path:
    """Return where a store lives below the cache home.

    ``<home>/v1/<dataset>/<domain>/<kind>/<slug>-<key12>``, and for text, which belongs to no
    domain, ``<home>/v1/<dataset>/text/<slug>-<key12>``.

    Raises:
        StoreError: an unknown kind, an image or logits store without a domain, text with one.
    """
    if kind not in KINDS or (domain is None) != (kind == "text"):
        raise StoreError(
            "a store cannot be placed",
            expected="kind image or logits with a domain, or kind text without one",
            found=f"kind {kind!r} with domain {domain!r}",
            fix="Pass the domain for image and logits stores only.",
        )
    above = [] if domain is None else [slug(domain)]
    leaf = f"{slug(name)}-{key_digest[:12]}"
    return home.joinpath("v1", slug(dataset), *above, kind, leaf)


def domain_path(home: Path, dataset: str, domain: str) -> Path:
    """Return the folder of a domain below the cache home: ``<home>/v1/<dataset>/<domain>``."""
    return home / "v1" / slug(dataset) / slug(domain)


def index_path(home: Path, dataset: str, domain: str) -> Path:
    """Return where the index of a domain lives."""
    return domain_path(home, dataset, domain) / "index.parquet"


def _plain_name(name: str) -> bool:
    taken = re.fullmatch(r"(?i)text|(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", name)
    tidy = name[0].isalnum() and name[-1].isalnum() and "__" not in name and ".." not in name
    return tidy and taken is None and len(name) <= 64
