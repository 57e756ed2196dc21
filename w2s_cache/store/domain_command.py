"""The command that computes a store again, with what its manifest says of its origin."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from w2s_cache.command_line import command_line
from w2s_cache.errors import CorruptStoreError
from w2s_cache.store.layout import Manifest


def domain_command(manifest: Manifest) -> str:
    """`w2s-cache extract` for the domain of a store, or `import` where its numbers were given."""
    words = ("import", "SOURCE") if features_imported(manifest) else ("extract",)
    domain = manifest.attributes.get("domain")
    return command_line(*words, domain=domain, **origin_options(manifest))


def features_imported(manifest: Manifest) -> bool:
    """Whether somebody else computed the features of an image store."""
    return manifest.kind == "image" and bool(_encoder(manifest).get("imported"))


def origin_options(manifest: Manifest) -> dict[str, object]:
    """What `extract` and `import` have to be told again of an imported store; empty for others."""
    if manifest.kind == "logits" and "imported" in manifest.key:
        return {"weak_logits": "FILE"}
    if not features_imported(manifest):
        return {}
    encoder, source = _encoder(manifest), manifest.key.get("source")
    read = source if isinstance(source, dict) else {}
    said: dict[str, object] = {n: encoder.get(n) for n in ("model", "pretrained")}
    said["tensor"] = None if encoder.get("tensor") == "features" else encoder.get("tensor")
    said["normalized" if encoder.get("normalized") else "raw"] = True
    return {**said, "row_order": read.get("order"), "prefix": read.get("prefix")}


def _encoder(manifest: Manifest) -> dict[str, Any]:
    found = manifest.key.get("encoder")
    return found if isinstance(found, dict) else {}


@contextlib.contextmanager
def naming_domain(manifest: Manifest) -> Iterator[None]:
    """Damage met inside names the store's domain and origin in the command that mends it.

    Raises:
        CorruptStoreError: what was met, its next step completed.
    """
    try:
        yield
    except CorruptStoreError as error:
        fix = error.fix.replace(command_line("extract"), domain_command(manifest))
        raise type(error)(
            error.what, expected=error.expected, found=error.found, fix=fix
        ) from error
