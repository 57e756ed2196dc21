"""The part of `cache verify` that loads models: --recompute."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from w2s_cache_cli.models import chosen_models
from w2s_cache_cli.options import chosen_domains, read_spec
from w2s_cache_cli.progress import Bars

if TYPE_CHECKING:
    from w2s_cache.cache.selection import Selection


def recomputed(
    spec_name: str,
    selection: Selection,
    *,
    rows: int,
    seed: int,
    min_cosine: float,
    root: str | None,
    device: str,
    home: Path,
    workers: int,
    bars: Bars,
) -> int:
    """Computes rows of the chosen domains again and prints a line per array.

    Returns:
        How many arrays agree less than they must.

    Raises:
        W2SError: Features, images or models are absent or of other settings.
    """
    from w2s_cache.cache.recompute import RecomputeRequest, recompute
    from w2s_cache.data.source import data_root
    from w2s_cache.encoders.catalogue import load_encoder
    from w2s_cache.encoders.device import resolve_device
    from w2s_cache.store.contents import cached_domains

    spec = read_spec(spec_name)
    models = chosen_models(
        spec,
        strong=selection.strong,
        weak=selection.weak,
        precision=None,
        strong_checkpoint=None,
        weak_checkpoint=None,
    )
    found = data_root(spec.data, given=root, home=home, announce=bars.say)
    names = {"strong": models.strong_name, "weak": models.weak_name}
    domains = chosen_domains(spec, selection.domains, cached_domains(home, spec.name, **names))
    request = RecomputeRequest(
        spec=spec,
        strong_name=models.strong_name,
        strong=models.strong,
        weak_name=models.weak_name,
        weak=models.weak,
        home=home,
        root=found,
        device=resolve_device(device),
        workers=workers,
        rows=rows,
        seed=seed,
    )
    section = models.strong
    bars.say(f"loading {section.model} on {request.device} in {section.precision}")
    encoder = load_encoder(
        section.library,
        section.model,
        checkpoint=section.checkpoint,
        precision=section.precision,
        device=request.device,
    )
    failed = 0
    for domain in domains:
        for result in recompute(request, domain, encoder):
            low = result.cosine < min_cosine
            failed += low
            bars.result(
                f"{domain}: {result.kind} {result.array} of {result.rows} rows computed again: "
                f"worst cosine {result.cosine:.7f} (row {result.row}), worst difference "
                f"{result.difference:.3g}"
                + (
                    f", below the {min_cosine:g} required: these are not the numbers of that key. "
                    "Remove them (`w2s-cache cache rm`) and extract again."
                    if low
                    else ""
                )
            )
        if models.weak is None:
            bars.result(f"{domain}: {models.weak_name} is imported, its logits cannot be computed")
    return failed
