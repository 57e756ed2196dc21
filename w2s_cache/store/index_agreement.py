"""Whether a store, and the index beside a feature set, are of the images that they are joined by.

Rows are joined by number alone, so equal counts must not be taken for equal images. Keys say which
images and classes a store was made from; a key that says neither is not judged.
"""

from __future__ import annotations

from pathlib import Path

from w2s_cache.command_line import features_command
from w2s_cache.errors import StaleStoreError
from w2s_cache.store.feature_set import FeatureSet, StoreRef, open_member
from w2s_cache.store.fingerprint import Difference, stale_error
from w2s_cache.store.index import Index, read_index
from w2s_cache.store.layout import Manifest, index_path
from w2s_cache.store.reader import Store


def disagreements(manifest: Manifest, index: Index) -> list[Difference]:
    """What a store's key says of images and classes, where the index has others."""
    wanted: dict[str, object] = {"images": index.images_digest, "classes": list(index.classes)}
    key = manifest.key
    return [
        Difference(field=name, stored=key[name], wanted=value)
        for name, value in wanted.items()
        if name in key and key[name] != value
    ]


def other_names(found: FeatureSet, index: Index) -> list[Difference]:
    """Where the index beside a feature set is of another data set or domain."""
    return [
        Difference(field=name, stored=getattr(index, name), wanted=getattr(found, name))
        for name in ("dataset", "domain")
        if getattr(index, name) != getattr(found, name)
    ]


def read_index_of(home: Path, found: FeatureSet) -> Index:
    """Reads the index whose rows a feature set follows.

    Raises:
        StaleStoreError: The index changed after the features were extracted.
        CorruptStoreError: It is damaged.
    """
    index = read_index(index_path(home, found.dataset, found.domain))
    if index.digest != found.index_digest:
        command = features_command(
            domain=found.domain,
            strong=found.strong,
            weak=found.weak,
            imported=found.request.get("strong") == {"imported": True},
        )
        raise StaleStoreError(
            f"the index of {found.dataset}/{found.domain} changed after its features were made",
            expected=f"index digest {found.index_digest[:12]}",
            found=index.digest[:12],
            fix=f"Run `{command}` again.",
        )
    if differences := other_names(found, index):
        raise _stale(f"the index of {found.dataset}/{found.domain} is another's", differences)
    return index


def refuse_other_images(store: Store, index: Index) -> None:
    """Refuse a store that was made from other images or classes than the index names.

    Raises:
        StaleStoreError: It was; each field that differs is named.
    """
    if differences := disagreements(store.manifest, index):
        raise _stale(f"{store.directory} was made from other images or classes", differences)


def open_member_of(index: Index, home: Path, ref: StoreRef) -> Store:
    """Open a store that a feature set refers to, for the rows and classes of an index.

    Raises:
        StoreError: It is absent or incomplete, or a link leads out of the home.
        StaleStoreError: Another store is in its place, or one of other images or classes.
        CorruptStoreError: Its manifest is damaged, or an attribute contradicts the key.
    """
    store = open_member(home, ref)
    refuse_other_images(store, index)
    return store


def _stale(what: str, differences: list[Difference]) -> StaleStoreError:
    """Build the error for parts that do not belong together."""
    return stale_error(what, differences, fix="Run `w2s-cache extract` again with the same spec.")
