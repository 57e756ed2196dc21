"""What training reads for one (strong, weak) pair of one domain: three stores and their request."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

from w2s_cache.command_line import features_command
from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.store.contents import cached_pairs, named_or_made, pairs_shown
from w2s_cache.store.contradictions import refuse_contradictions
from w2s_cache.store.fingerprint import Difference, canonical_json, diff_keys, digest, stale_error
from w2s_cache.store.layout import STRICT, slug
from w2s_cache.store.publish import make_directory, publish
from w2s_cache.store.reader import Store, open_store
from w2s_cache.store.regular_file import read_regular
from w2s_cache.store.shallow_json import parse_json

SCHEMA: Final = "w2s-cache/feature-set/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRef:
    """A store by its place below the cache home and the digest of its key.

    Args:
        path: Posix path relative to the home.
        key_digest: The sha256 of the store's canonical key.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    path: str
    key_digest: str

    def __post_init__(self) -> None:
        path = PurePosixPath(self.path)
        if path.is_absolute() or ".." in path.parts or "\\" in self.path or ":" in self.path:
            raise StoreError(
                "a feature set refers to a store outside its home",
                expected="a posix path relative to the cache home",
                found=repr(self.path),
                fix="Run `w2s-cache extract` again.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSet:
    """The join of the stores that one training reads.

    Args:
        dataset: Data set name.
        domain: Domain name.
        strong: Name of the strong model.
        weak: Name of the weak model.
        request: What the spec asked for when the stores were made, values of JSON types.
        index_digest: Digest of the index whose rows the stores follow.
        image: Features of the strong model.
        logits: Logits of the weak model.
        text: Class-name features of the strong model, None if it has no text tower.
        created: When it was made, ISO 8601 in UTC.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    dataset: str
    domain: str
    strong: str
    weak: str
    request: dict[str, Any]
    index_digest: str
    image: StoreRef
    logits: StoreRef
    text: StoreRef | None
    created: str


def feature_set_path(home: Path, *, dataset: str, domain: str, strong: str, weak: str) -> Path:
    """Return the file of a pair: ``<home>/v1/<dataset>/<domain>/sets/<strong>__<weak>.json``."""
    name = f"{slug(strong)}__{slug(weak)}.json"
    return home.joinpath("v1", slug(dataset), slug(domain), "sets", name)


def write_feature_set(home: Path, fs: FeatureSet) -> Path:
    """Publish a feature set in one step, replacing the pair's previous one.

    Returns:
        Its path.

    Raises:
        StoreError: the request holds values that have no canonical form.
        StoreWriteError: no space, no permission.
    """
    path = feature_set_path(
        home, dataset=fs.dataset, domain=fs.domain, strong=fs.strong, weak=fs.weak
    )
    request = json.loads(canonical_json(fs.request))
    fields = {"schema": SCHEMA, **asdict(fs), "request": request, "request_digest": digest(request)}
    make_directory(path.parent)
    publish(path, (json.dumps(fields, indent=1) + "\n").encode())
    return path


def read_feature_set(
    home: Path,
    *,
    dataset: str,
    domain: str,
    strong: str,
    weak: str,
    request: Mapping[str, object],
) -> FeatureSet:
    """Read the feature set of a pair and compare it with what is asked for now.

    Raises:
        StoreError: there is none yet.
        StaleStoreError: it was made for another request; each field that differs is named.
        CorruptStoreError: its file is damaged.
    """
    command = features_command(
        domain=domain,
        strong=strong,
        weak=weak,
        imported=request.get("strong") == {"imported": True},
    )
    path = feature_set_path(home, dataset=dataset, domain=domain, strong=strong, weak=weak)
    try:
        text = read_regular(path)
    except OSError as error:
        pairs = cached_pairs(home, dataset, domain=domain)
        raise StoreError(
            f"no features of {strong} and {weak} on {dataset}/{domain}",
            expected=f"the feature set {path}",
            found=_absent(pairs, error),
            fix=named_or_made(pairs, command, strong=strong, weak=weak),
        ) from error
    found = parse_feature_set(text, path, command)
    names = {"dataset": dataset, "domain": domain, "strong": strong, "weak": weak}
    differences = _differences(found, names, request)
    if differences:
        what = f"the features of {strong} and {weak} on {dataset}/{domain} are of other settings"
        raise stale_error(what, differences, fix=f"Run `{command}` with these settings.")
    return found


def _absent(pairs: Sequence[tuple[str, str]], error: OSError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"no such file; {pairs_shown(pairs)}"
    return error.strerror or str(error)


def load_feature_set(path: Path) -> FeatureSet:
    """Read a feature set as it stands, whatever request it was made for.

    Raises:
        CorruptStoreError: its file cannot be read or is damaged.
    """
    try:
        text = read_regular(path)
    except OSError as error:
        raise _broken(path, error.strerror or str(error), "w2s-cache extract") from error
    return parse_feature_set(text, path, "w2s-cache extract")


def open_member(home: Path, ref: StoreRef) -> Store:
    """Open a store that a feature set refers to.

    Raises:
        StoreError: it is absent or incomplete, or a link leads out of the home.
        StaleStoreError: another store is in its place.
        CorruptStoreError: its manifest is damaged, or an attribute contradicts the key.
    """
    _refuse_outside(home, ref)
    store = open_store(home / ref.path)
    if store.manifest.key_digest != ref.key_digest:
        found = store.manifest.key_digest
        difference = Difference(field="key_digest", stored=found, wanted=ref.key_digest)
        what = f"{store.directory} is not the store that the feature set means"
        raise stale_error(what, [difference], fix="Run `w2s-cache extract` again.")
    refuse_contradictions(store)
    return store


def _refuse_outside(home: Path, ref: StoreRef) -> None:
    """A link may not lead out of the home: what is read, and written anew, is the cache's own."""
    base, place = home.resolve(), (home / ref.path).resolve()
    if not place.is_relative_to(base):
        raise StoreError(
            f"{home / ref.path} leads out of the cache home",
            expected=f"a folder below {base}",
            found=f"a link to {place}",
            fix="Copy the folder into the cache home, or make the link's target the home.",
        )


def _differences(
    found: FeatureSet, names: Mapping[str, object], request: Mapping[str, object]
) -> list[Difference]:
    stored = {name: getattr(found, name) for name in names}
    return diff_keys(stored, names) + diff_keys(found.request, request)


@functools.cache
def _adapter() -> TypeAdapter[FeatureSet]:
    return TypeAdapter(FeatureSet)


def parse_feature_set(text: bytes, path: Path, command: str) -> FeatureSet:
    """Read the JSON of a feature set.

    Args:
        text: The file's content.
        path: What to call it in errors.
        command: The command that makes it anew.

    Raises:
        CorruptStoreError: It is not JSON of this schema, a field is missing or surplus, or the
            request is not the one that was written.
    """
    try:
        fields = parse_json(text)
        schema = fields.pop("schema", None) if isinstance(fields, dict) else None
        if schema != SCHEMA:
            raise _broken(path, f"schema {schema!r}", command)
        stated = fields.pop("request_digest", None)  # files of before it was written have none
        found = _adapter().validate_json(json.dumps(fields))
        if stated is not None and stated != (own := digest(found.request)):
            raise _broken(path, f"a request of digest {own}, stated is {stated}", command)
        return found
    except (ValidationError, StoreError, ValueError) as error:
        if isinstance(error, CorruptStoreError):
            raise
        raise _broken(path, str(error), command) from error


def _broken(path: Path, found: str, command: str) -> CorruptStoreError:
    return CorruptStoreError(
        f"{path} is not a feature set this version can use",
        expected=f"JSON of schema {SCHEMA}",
        found=found,
        fix=f"Run `{command}` again.",
    )
