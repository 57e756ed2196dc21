"""Is the DomainNet on this disk the one the papers use?"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from w2s_cache.counted import counted
from w2s_cache.data.classes_domainnet import CLASSES
from w2s_cache.data.domainnet import find_lists, read_domainnet
from w2s_cache.data.listing import Listing
from w2s_cache.data.official_domainnet import (
    DOMAINNET_FILES,
    DOMAINNET_ROWS,
    ORIGINAL_TOTALS,
    Rows,
    Source,
)
from w2s_cache.errors import DataError

__all__ = ["Finding", "check_domainnet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One sentence about the data.

    Args:
        level: "ok", "note" (harmless, worth knowing) or "problem" (other data than the papers').
        text: The sentence.
    """

    level: Literal["ok", "note", "problem"]
    text: str


def check_domainnet(
    root: Path,
    domains: Sequence[str],
    *,
    files: Mapping[str, Sequence[Source]] = DOMAINNET_FILES,
) -> list[Finding]:
    """Compare a data root with the official, cleaned DomainNet.

    Lists and archives are compared by md5 where they are present, rows are counted against Table 2
    of the CPL paper, class names and labels against the official ones, and every listed image must
    exist. All findings are collected; none stops the others.

    Args:
        root: The data root.
        domains: The domains to look at.
        files: The official files by domain.
    """
    findings: list[Finding] = []
    for domain in domains:
        findings += _hashes(root, domain, files[domain])
        try:
            listing = read_domainnet(root, domain, classes=CLASSES)
        except DataError as error:
            findings.append(Finding(level="problem", text=str(error)))
            continue
        findings += _counts(listing)
        findings += (Finding(level="note", text=note) for note in listing.notes)
    return findings


def _hashes(root: Path, domain: str, sources: Sequence[Source]) -> Iterator[Finding]:
    try:
        lists = {path.name: path for path in find_lists(root, domain).values()}
    except DataError:
        lists = {}  # their absence is said once, by the reader
    for source in sources:
        path = lists.get(source.name, root / source.name)
        if not path.is_file():
            continue
        found = _md5(path)
        if found == source.md5:
            yield Finding(level="ok", text=f"{path.name} is the official file (md5 {found})")
        else:
            text = f"{path.name} differs from the official file: md5 {found}, not {source.md5}"
            yield Finding(level="problem", text=text)


def _counts(listing: Listing) -> Iterator[Finding]:
    domain = listing.domain
    halves = Counter(entry.split for entry in listing.entries)
    found, official = Rows(train=halves["train"], test=halves["test"]), DOMAINNET_ROWS[domain]
    rows = f"{found.train} training and {counted(found.test, 'test row')}"
    if found == official:
        text = f"{domain}: {rows} in {counted(len(listing.classes), 'class')}, as published"
        yield Finding(level="ok", text=text)
        return
    text = f"{domain}: {rows}; published are {official.train} and {official.test}"
    if found.train + found.test == ORIGINAL_TOTALS[domain]:
        text += "; this is the size of the older release, before its cleaning"
    yield Finding(level="problem", text=text)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
