"""Cached features in Python: one call from the name of a spec to the tensors of a domain."""

from __future__ import annotations

import os
from pathlib import Path

from w2s_cache.cache_home import cache_home
from w2s_cache.command_line import command_line
from w2s_cache.errors import StoreError, UnknownNameError
from w2s_cache.request import IMPORTED, feature_request
from w2s_cache.sections import Overrides, strong_section_of, weak_section_of
from w2s_cache.spec import Decoder, Precision, Spec
from w2s_cache.spec_files import load_spec
from w2s_cache.store.contents import cached_domains, cached_pairs, pairs_shown
from w2s_cache.store.feature_set import read_feature_set
from w2s_cache.train.inputs import DomainInputs, load_inputs


def load_domain(
    spec: Spec | str | Path = "pocket",
    domain: str = "real",
    *,
    strong: str | None = None,
    weak: str | None = None,
    precision: Precision | None = None,
    decoder: Decoder | None = None,
    cache_dir: str | Path | None = None,
) -> DomainInputs:
    """Reads and verifies what `w2s-cache extract` left for a domain, as `w2s-cache train` does.

    Args:
        spec: A shipped spec's name, the path of a ``.toml`` file, or a spec.
        domain: The domain's name.
        strong: Strong encoder, a section of the spec, ``ARCH,TAG`` or the name of imported
            features; None takes the first section.
        weak: Weak model, a section of the spec or the name of imported logits; None takes the first
            section.
        precision: Compute precision that was extracted with; None takes the spec's.
        decoder: Decoder that was extracted with; None takes the spec's.
        cache_dir: The cache home; None takes ``W2S_CACHE_HOME``, else the user's cache folder.

    Like the command line, ``W2S_STRONG_CHECKPOINT`` and ``W2S_WEAK_CHECKPOINT`` name local weights
    that were extracted with.

    Returns:
        Features (n, d), weak logits (n, k) and text features (k, d), all float32, with their index.

    Raises:
        UnknownNameError: The spec, the strong encoder, the weak model or the domain is not known.
        StoreError: Nothing was extracted for this pair; the pairs that are there are named.
        StaleStoreError: It was extracted with other settings, each difference named.
        CorruptStoreError: Bytes on disk are not those that were written.
    """
    asked = spec if isinstance(spec, Spec) else load_spec(str(spec))
    home = cache_home() if cache_dir is None else Path(cache_dir)
    overrides = Overrides(
        precision=precision,
        decoder=decoder,
        strong_checkpoint=os.environ.get("W2S_STRONG_CHECKPOINT") or None,
        weak_checkpoint=os.environ.get("W2S_WEAK_CHECKPOINT") or None,
    )
    strong_name, strong_section = strong_section_of(asked, strong, overrides)
    weak_name, weak_section = weak_section_of(asked, weak, overrides)
    pairs = cached_pairs(home, asked.name)
    if strong_section.library == IMPORTED:
        _refuse_unknown(
            "strong encoder", strong_name, {*asked.strong, *(name for name, _ in pairs)}
        )
    _refuse_unknown("weak model", weak_name, {*asked.weak, *(name for _, name in pairs)})
    extracted = cached_domains(home, asked.name, strong=strong_name, weak=weak_name)
    known = asked.data.domains or extracted
    more = _extraction(spec, asked, domain if domain in known else None, strong_name, weak_name)
    if known and domain not in known:
        otherwise = f"Further domains are extracted by `{more}`." if not asked.data.domains else ""
        raise UnknownNameError(f"domain of {asked.name}", domain, known, otherwise=otherwise)
    if domain not in extracted:
        raise StoreError(
            f"no features of {strong_name} and {weak_name} on {asked.name}/{domain}",
            expected="an extracted domain",
            found=pairs_shown(cached_pairs(home, asked.name, domain=domain)),
            fix=f"Run `{more}`, or name models that are there.",
        )
    found = read_feature_set(
        home,
        dataset=asked.name,
        domain=domain,
        strong=strong_name,
        weak=weak_name,
        request=feature_request(asked, strong=strong_section, weak=weak_section),
    )
    return load_inputs(home, found)


def _extraction(
    named: Spec | str | Path, spec: Spec, domain: str | None, strong: str, weak: str
) -> str:
    """The command that makes the pair's features, with places for what the spec cannot tell."""
    section = strong_section_of(spec, strong)[1]
    words = ("import", "SOURCE") if section.library == IMPORTED else ("extract",)
    return command_line(
        *words,
        spec=spec.name if isinstance(named, Spec) else str(named),
        domain=domain,
        strong=strong,
        weak=weak,
        root="DIR" if spec.data.root is None and spec.data.source == "disk" else None,
        weak_logits=None if weak in spec.weak else "FILE",
    )


def _refuse_unknown(kind: str, name: str, known: set[str]) -> None:
    if name not in known:
        raise UnknownNameError(kind, name, known)
