"""`w2s-cache extract`: images → cache."""

from __future__ import annotations

import functools
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from w2s_cache.data.source import data_root, list_domains
from w2s_cache.errors import UnknownNameError
from w2s_cache.extract.domain import extract_domain
from w2s_cache.extract.request import Extracted, ExtractRequest
from w2s_cache.spec import Precision, Spec, StrongSpec, WeakSpec, choose
from w2s_cache_cli.options import (
    cache_dir_option,
    chosen_domains,
    device_option,
    domain_option,
    quiet_option,
    read_spec,
    spec_option,
    strong_option,
    weak_option,
)
from w2s_cache_cli.progress import Bars

if TYPE_CHECKING:
    from w2s_cache.encoders.protocol import StrongEncoder


@click.command()
@spec_option
@domain_option
@click.option("--root", envvar="W2S_DATA_ROOT", help="Folder of the images. Default: the spec's.")
@strong_option
@weak_option
@click.option(
    "--weak-logits",
    help="Import predictions instead of fine-tuning: parquet or csv with `path` and `logits` (or "
    "one column per class), or npz with `path` and `logits`. `{domain}` is replaced.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16", "fp16"]),
    help="Compute precision of the strong encoder. Default: the spec's.",
)
@click.option("--batch-size", type=click.IntRange(min=1), help="Images per forward pass.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=lambda: min(8, os.cpu_count() or 1),
    show_default="cores, at most 8",
    help="Decoding threads.",
)
@cache_dir_option
@device_option
@click.option("--recheck", is_flag=True, help="Load the models and compare their weights too.")
@click.option("--dry-run", is_flag=True, help="Say what would be extracted, write nothing.")
@quiet_option
def command(
    spec_name: str,
    domains: tuple[str, ...],
    root: str | None,
    strong: str | None,
    weak: str | None,
    weak_logits: str | None,
    precision: Precision | None,
    batch_size: int | None,
    workers: int,
    cache_dir: Path,
    device: str,
    recheck: bool,
    dry_run: bool,
    quiet: bool,
) -> None:
    """Compute features and weak logits once, into the cache.

    \b
    Examples:
      w2s-cache extract --domain real
      w2s-cache extract --spec domainnet --root /data/domainnet --device cuda
      w2s-cache extract --spec folder --root photos --weak-logits mine/{domain}.parquet --weak mine
    """
    spec = read_spec(spec_name)
    strong_name, strong_section = strong_section_of(spec, strong)
    if precision is not None:
        strong_section = strong_section.model_copy(update={"precision": precision})
    weak_name, weak_section = _weak_section(spec, weak, weak_logits)
    bars = Bars(quiet=quiet)
    if dry_run:
        names = ", ".join(domains or spec.data.domains or ("every folder of the root",))
        click.echo(f"{spec.name}: {names} with {strong_name} and {weak_name} → {cache_dir}")
        return
    found = _root(spec, root, cache_dir, bars)
    load = _loader(strong_section, bars)
    for domain in chosen_domains(spec, domains, list_domains(spec.data, found)):
        began = time.perf_counter()
        request = ExtractRequest(
            spec=spec,
            strong_name=strong_name,
            strong=strong_section,
            weak_name=weak_name,
            weak=weak_section,
            weak_logits=Path(weak_logits.format(domain=domain)) if weak_logits else None,
            home=cache_dir,
            root=found,
            device=device,
            workers=workers,
            batch_size=batch_size,
            recheck=recheck,
        )
        done = extract_domain(request, domain, strong=load, progress=bars)
        click.echo(_summary(done, time.perf_counter() - began))


def strong_section_of(spec: Spec, name: str | None) -> tuple[str, StrongSpec]:
    """A section of the spec, or one made on the spot for `ARCH,TAG`."""
    if name is not None and name not in spec.strong and any(mark in name for mark in ",:/"):
        return name, StrongSpec(model=name, templates=next(iter(spec.strong.values())).templates)
    return choose("strong encoder", name, spec.strong)


def _weak_section(
    spec: Spec, name: str | None, weak_logits: str | None
) -> tuple[str, WeakSpec | None]:
    if weak_logits is None:
        return choose("weak model", name, spec.weak)
    if name in spec.weak:
        raise UnknownNameError("name for imported logits (it is a section of the spec)", name, [])
    return name or "imported", None


def _root(spec: Spec, given: str | None, home: Path, bars: Bars) -> Path:
    def draw(count: int) -> None:
        bars.advance(count)

    return data_root(spec.data, given=given, home=home, progress=draw)


def _loader(section: StrongSpec, bars: Bars) -> functools._lru_cache_wrapper[StrongEncoder]:
    @functools.cache
    def load(device: str) -> StrongEncoder:
        from w2s_cache.encoders.catalogue import load_encoder

        bars.say(f"loading {section.model} on {device} in {section.precision}")
        return load_encoder(
            section.library,
            section.model,
            checkpoint=section.checkpoint,
            precision=section.precision,
            device=device,
        )

    return load


def _summary(done: Extracted, seconds: float) -> str:
    if done.reused:
        return f"{done.domain}: {done.rows:,} images, all reused from the cache ({seconds:.1f} s)"
    parts = ", ".join(
        f"{name} {'reused' if not count else f'{count:,} computed'}"
        for name, count in done.computed.items()
    )
    return f"{done.domain}: {done.rows:,} images, {parts} ({seconds:.1f} s)"
