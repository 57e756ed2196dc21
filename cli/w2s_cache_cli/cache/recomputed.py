"""The part of `cache verify` that loads models: --recompute."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from w2s_cache.counted import counted
from w2s_cache.request import IMPORTED
from w2s_cache.sections import Overrides, strong_section_of, weak_section_of
from w2s_cache.spec import Spec
from w2s_cache_cli.options import chosen_domains
from w2s_cache_cli.processes import default_workers
from w2s_cache_cli.progress import Bars

if TYPE_CHECKING:
    from w2s_cache.cache.agreement import Agreement
    from w2s_cache.cache.recompute import RecomputeRequest
    from w2s_cache.cache.selection import Selection
    from w2s_cache.encoders.protocol import StrongEncoder
    from w2s_cache.extract.request import ExtractRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """How to compute rows again, as the options say."""

    rows: int
    seed: int
    min_cosine: float
    root: str | None
    device: str
    home: Path
    overrides: Overrides


def recomputed(spec: Spec, selection: Selection, means: Means, bars: Bars) -> int:
    """Computes rows of the chosen domains again and prints a line per array.

    Returns:
        How many arrays agree less than they must.

    Raises:
        W2SError: Features, images or models are absent or of other settings.
    """
    from w2s_cache.cache.recompute import recompute, source_files
    from w2s_cache.store.contents import cached_domains

    request = _request(spec, selection, means, bars)
    asked = request.extract
    names = {"strong": asked.strong_name, "weak": asked.weak_name}
    cached = cached_domains(means.home, spec.name, **names)
    imported = asked.strong.library == IMPORTED
    encoder, failed = None if imported else _encoder(asked, bars), 0
    for domain in chosen_domains(spec, selection.domains, cached):
        bars.begin(f"{domain}: computing again", None)
        for result in recompute(request, domain, encoder):
            bars.result(f"{domain}: {_line(result, means.min_cosine)}")
            failed += result.cosine < means.min_cosine
        bars.end()
        if imported:
            bars.result(
                f"{domain}: features of {asked.strong_name} were imported from "
                f"{source_files(asked, domain)}; no encoder here can compute them again"
            )
        if asked.weak is None:
            bars.result(f"{domain}: {asked.weak_name} is imported, its logits cannot be computed")
    return failed


def _request(spec: Spec, selection: Selection, means: Means, bars: Bars) -> RecomputeRequest:
    from w2s_cache.cache.recompute import RecomputeRequest
    from w2s_cache.data.source import data_root
    from w2s_cache.encoders.device import resolve_device
    from w2s_cache.extract.request import ExtractRequest

    strong_name, strong = strong_section_of(spec, selection.strong, means.overrides)
    weak_name, weak = weak_section_of(spec, selection.weak, means.overrides)
    extract = ExtractRequest(
        spec=spec,
        strong_name=strong_name,
        strong=strong,
        weak_name=weak_name,
        weak=weak,
        weak_logits=None,
        home=means.home,
        root=data_root(spec.data, given=means.root, home=means.home, announce=bars.say),
        device=resolve_device(means.device),
        workers=default_workers(),
    )
    return RecomputeRequest(extract=extract, rows=means.rows, seed=means.seed)


def _encoder(request: ExtractRequest, bars: Bars) -> StrongEncoder:
    from w2s_cache.extract.loaders import strong_loader

    section = request.strong
    bars.say(f"loading {section.model} on {request.device} in {section.precision}")
    return strong_loader(section)(device=request.device)


def _named(result: Agreement) -> str:
    return result.kind if result.kind == result.array else f"{result.kind} {result.array}"


def _line(result: Agreement, min_cosine: float) -> str:
    told = (
        f"{_named(result)} of {counted(result.rows, 'row')} computed again: worst cosine "
        f"{result.cosine:.7f} (row {result.row}), worst difference {result.difference:.3g}"
    )
    if result.cosine >= min_cosine:
        return told
    return (
        f"{told}, below the {min_cosine:g} required: these are not the numbers of that key. "
        "Remove them (`w2s-cache cache rm`) and extract again."
    )
