"""Whether a feature set and all that it joins fit together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from w2s_cache.cache.finding import Finding
from w2s_cache.cache.inventory import SetEntry
from w2s_cache.cache.repair import repair_command, spec_of
from w2s_cache.command_line import command_line
from w2s_cache.counted import counted
from w2s_cache.errors import StoreError
from w2s_cache.store.contradictions import contradictions
from w2s_cache.store.feature_set import (
    FeatureSet,
    StoreRef,
    feature_set_path,
    open_member,
)
from w2s_cache.store.index import Index, read_index
from w2s_cache.store.index_agreement import disagreements, other_names
from w2s_cache.store.layout import Manifest, index_path
from w2s_cache.store.reader import read_manifest
from w2s_cache.store.remake import unsaid

LAWS = {
    "FSET-1": "a feature set is JSON of its schema, whole, in the place that its names give",
    "FSET-2": "its stores are there, complete, and of the keys that it names",
    "FSET-3": "its index is there, whole, and of the digest that it names",
    "FSET-4": "rows are those of the index, logits and texts those of its classes",
    "FSET-5": "what a store says of its model is what its key says",
    "FSET-6": "index and stores are of the domain's own images and classes",
}


def set_findings(home: Path, entry: SetEntry) -> Iterator[Finding]:
    """Yields every law that a feature set breaks; numbers of its stores are not read."""
    remove = command_line("cache", "rm", entry.path)
    again = f"Remove it with `{remove}` and run `{_named(entry)}` again"
    if entry.found is None:
        yield Finding(law="FSET-1", message=entry.problem.rstrip("."), fix=f"{again}.")
        return
    found = entry.found
    command = repair_command(home, found)
    extract = f"Run `{command}` again with the same spec.{unsaid(command)}"
    place = feature_set_path(
        home,
        dataset=found.dataset,
        domain=found.domain,
        strong=found.strong,
        weak=found.weak,
    )
    if place != home / entry.path:
        message = f"its names belong to {place.relative_to(home).as_posix()}"
        yield Finding(law="FSET-1", message=message, fix=f"{again}.")
    index = _index(home, found)
    if isinstance(index, str):
        yield Finding(law="FSET-3", message=index, fix=extract)
    else:
        for other in other_names(found, index):
            message = f"the index is of {other.field} {other.stored}, named is {other.wanted}"
            yield Finding(law="FSET-6", message=message, fix=extract)
    for ref in (found.image, found.logits, found.text):
        if ref is not None:
            yield from _member(home, ref, index, extract)


def _named(entry: SetEntry) -> str:
    """The command that makes the features of a set, by the names in its place."""
    _, dataset, domain, _, file = entry.path.split("/")
    strong, _, weak = file.removesuffix(".json").partition("__")
    names = {"strong": strong, "weak": weak}
    plain = {kind: name.replace("@", ":").replace("+", "/") for kind, name in names.items()}
    return command_line("extract", spec=spec_of(dataset), domain=domain, **plain)


def _index(home: Path, found: FeatureSet) -> Index | str:
    try:
        index = read_index(index_path(home, found.dataset, found.domain))
    except StoreError as error:
        return f"{error.what}: {error.found}"
    if index.digest != found.index_digest:
        return f"the index has digest {index.digest[:12]}, named is {found.index_digest[:12]}"
    return index


def _member(home: Path, ref: StoreRef, index: Index | str, extract: str) -> Iterator[Finding]:
    try:
        manifest = read_manifest(home / ref.path)
        if changed := contradictions(manifest):
            for found in changed:
                stated = f"{found.field} is {found.stored}, its key has {found.wanted}"
                yield Finding(law="FSET-5", message=f"{ref.path}: {stated}", fix=extract)
            return
        open_member(home, ref)
    except StoreError as error:
        yield Finding(law="FSET-2", message=f"{error.what}: found {error.found}", fix=extract)
        return
    if isinstance(index, Index):
        for problem in _sizes(manifest, index):
            yield Finding(law="FSET-4", message=f"{ref.path}: {problem}", fix=extract)
        for other in disagreements(manifest, index):
            stated = f"made from {other.field} {other.stored}, the index has {other.wanted}"
            yield Finding(law="FSET-6", message=f"{ref.path}: {stated}", fix=extract)


def _sizes(manifest: Manifest, index: Index) -> Iterator[str]:
    rows = len(index.classes) if manifest.kind == "text" else len(index)
    if manifest.rows != rows:
        what = "classes" if manifest.kind == "text" else "rows"
        yield f"{counted(manifest.rows, 'row')}, the index has {rows} {what}"
    for spec in manifest.arrays:
        if spec.name == "logits" and spec.row_shape != (len(index.classes),):
            yield f"logits of {spec.row_shape[0]} classes, the index has {len(index.classes)}"
