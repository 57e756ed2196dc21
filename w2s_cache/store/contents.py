"""What a cache home holds: stores and feature sets, found by walking its folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from w2s_cache.command_line import options_only
from w2s_cache.errors import StoreError
from w2s_cache.store.index import Index, read_index
from w2s_cache.store.layout import MANIFEST_FILE, Manifest, index_path, slug
from w2s_cache.store.reader import read_manifest
from w2s_cache.store.regular_file import read_regular
from w2s_cache.store.shallow_json import parse_json

_OFFERED: Final = 3  # more than these are no help to choose


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreEntry:
    """One store: where it is, what its manifest says, or why that cannot be read."""

    path: str
    manifest: Manifest | None
    problem: str

    @property
    def bytes(self) -> int:
        """Size of all published shards."""
        return sum(shard.bytes for shard in self.manifest.shards) if self.manifest else 0


def list_stores(home: Path) -> Iterator[StoreEntry]:
    """Yields every store below a cache home, by path; a broken one is an entry with a problem."""
    for manifest in sorted((home / "v1").glob(f"**/{MANIFEST_FILE}")):
        path = manifest.parent.relative_to(home).as_posix()
        try:
            yield StoreEntry(path=path, manifest=read_manifest(manifest.parent), problem="")
        except StoreError as error:
            yield StoreEntry(path=path, manifest=None, problem=str(error))


def cached_domains(home: Path, dataset: str, *, strong: str, weak: str) -> tuple[str, ...]:
    """Domains of a data set that have a feature set of this pair of models, sorted."""
    pair = f"{slug(strong)}__{slug(weak)}.json"
    files = (home / "v1" / slug(dataset)).glob(f"*/sets/{pair}")
    return tuple(sorted({_domain_of(file) for file in files}))


def cached_indexes(home: Path, dataset: str) -> Iterator[Index]:
    """Yields the index of every domain of a data set that has one, by folder.

    Raises:
        CorruptStoreError: An index is damaged.
    """
    for file in sorted(index_path(home, dataset, "any").parents[1].glob("*/index.parquet")):
        yield read_index(file)


def cached_pairs(home: Path, dataset: str, *, domain: str = "*") -> tuple[tuple[str, str], ...]:
    """(strong, weak) of every feature set of a data set, or of one of its domains, sorted."""
    folder = domain if domain == "*" else slug(domain)
    pairs = set()
    for file in (home / "v1" / slug(dataset)).glob(f"{folder}/sets/*__*.json"):
        try:
            names = parse_json(read_regular(file))
            pairs.add((str(names["strong"]), str(names["weak"])))
        except (OSError, ValueError, LookupError, TypeError):
            continue  # a broken file is no pair that could be trained on
    return tuple(sorted(pairs))


def pairs_shown(pairs: Sequence[tuple[str, str]]) -> str:
    """What errors say of the pairs that are there."""
    shown = ", ".join(f"{strong} and {weak}" for strong, weak in pairs)
    return f"in the cache are {shown}" if pairs else "none in the cache"


def choices_there(
    pairs: Sequence[tuple[str, str]], *, strong: str, weak: str
) -> list[dict[str, str]]:
    """What ``--strong`` and ``--weak`` have to say for pairs that are there.

    Args:
        pairs: (strong, weak) of each.
        strong: The strong model of a pair that is not there; where it is right it is not said.
        weak: Its weak model, likewise.

    Returns:
        Options by name, of the few pairs that are nearest: first those of the same strong model.
    """
    asked = {"strong": strong, "weak": weak}
    named = [{"strong": pair[0], "weak": pair[1]} for pair in pairs]
    choices = [{n: v for n, v in pair.items() if v != asked[n]} for pair in named]
    return sorted(filter(None, choices), key=lambda c: (len(c), "strong" in c))[:_OFFERED]


def named_or_made(pairs: Sequence[tuple[str, str]], command: str, *, strong: str, weak: str) -> str:
    """The next step where a pair is not there: to name one that is, or the command that makes it.

    Args:
        pairs: (strong, weak) of each that is there.
        command: Makes the pair that was asked for.
        strong: Its strong model.
        weak: Its weak model.
    """
    flags = [options_only(**each) for each in choices_there(pairs, strong=strong, weak=weak)]
    there = f"Give `{'` or `'.join(flags)}` to use what is there, or run" if flags else "Run"
    return f"{there} `{command}`."


def _domain_of(feature_set: Path) -> str:
    """The domain's own name; its folder's where the file is broken, which its reader will say."""
    try:
        return str(parse_json(read_regular(feature_set))["domain"])
    except (OSError, ValueError, LookupError, TypeError):
        return feature_set.parent.parent.name
