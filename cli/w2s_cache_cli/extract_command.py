"""`w2s-cache extract`: images → cache."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from w2s_cache.errors import UnknownNameError
from w2s_cache.freed_memory import keep_freed_memory
from w2s_cache.request import IMPORTED
from w2s_cache.sections import Overrides
from w2s_cache.spec import Spec, StrongSpec
from w2s_cache_cli.extracted import left_out, summary
from w2s_cache_cli.models import (
    Models,
    chosen_models,
    names_options,
    override_options,
    refuse_weak_confusion,
)
from w2s_cache_cli.next_steps import next_step
from w2s_cache_cli.options import (
    cache_dir_option,
    chosen_domains,
    device_option,
    domain_option,
    quiet_option,
    read_spec,
    root_option,
    spec_option,
)
from w2s_cache_cli.preview import preview
from w2s_cache_cli.processes import process_options, processes_chosen, refuse_absent_devices
from w2s_cache_cli.progress import Bars

if TYPE_CHECKING:
    from w2s_cache.encoders.protocol import StrongEncoder
    from w2s_cache.extract.bad_images import OnError
    from w2s_cache.extract.request import ExtractRequest

EXIT_SKIPPED = 3


@click.command()
@spec_option
@domain_option
@root_option
@names_options
@override_options
@click.option(
    "--weak-logits",
    help="Import predictions instead of fine-tuning: parquet or csv with `path` and `logits` (or "
    "one column per class), or npz with `path` and `logits`. One file may hold all domains; "
    "`{domain}` in the name is replaced, for one file each. See docs/weak-logits.md.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    help="Images per forward pass. Default: the spec's.",
)
@cache_dir_option
@device_option
@process_options
@click.option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="Images that cannot be used: stop with a list of them, or leave them out, count them and "
    "end with exit code 3.",
)
@click.option(
    "--retry-skipped",
    is_flag=True,
    help="Try again images that were skipped earlier; compute what they are missing from.",
)
@click.option("--recheck", is_flag=True, help="Load the models and compare their weights too.")
@click.option(
    "--dry-run", is_flag=True, help="Say what would be extracted and what is cached; write nothing."
)
@quiet_option
def command(
    spec_name: str,
    domains: tuple[str, ...],
    root: str | None,
    strong: str | None,
    weak: str | None,
    overrides: Overrides,
    weak_logits: str | None,
    batch_size: int | None,
    workers: int | None,
    cache_dir: Path,
    device: str,
    devices: tuple[str, ...],
    processes: int | None,
    on_error: OnError,
    retry_skipped: bool,
    recheck: bool,
    dry_run: bool,
    quiet: bool,
) -> None:
    """Compute features and weak logits once, into the cache.

    \b
    Examples:
      w2s-cache extract --domain real
      w2s-cache extract --spec domainnet --root /data/domainnet --device cuda
      w2s-cache extract --spec domainnet --root /data/dn --devices cuda:0,cuda:1
      w2s-cache extract --spec folder --root photos \\
          --weak-logits mine/{domain}.parquet --weak mine
      w2s-cache extract --on-error skip

    Exit code 0: done. 3: done, but images were skipped, now or earlier.
    """
    spec = read_spec(spec_name)
    weak_name = weak or (IMPORTED if weak_logits else None)
    models = chosen_models(spec, strong=strong, weak=weak_name, overrides=overrides)
    _refuse_names(spec, models, weak_logits)
    bars, on = Bars(quiet=quiet), processes_chosen(device, devices, processes, workers)
    refuse_absent_devices(on)
    request = functools.partial(
        extract_request,
        spec=spec,
        models=models,
        weak_logits=weak_logits,
        home=cache_dir,
        device=on.device,
        crew=on.crew,
        workers=on.workers,
        batch_size=batch_size,
        on_error=on_error,
        retry_skipped=retry_skipped,
        recheck=recheck,
    )
    if dry_run:
        preview(spec, models, domains, given=root, home=cache_dir, request=request)
        return
    keep_freed_memory()
    skipped = _extract_all(spec, models, domains, root, cache_dir, request, bars)
    if weak_logits and weak is None:
        bars.say(f"next: {next_step('train', weak=models.weak_name)}")
    if skipped:
        sys.exit(EXIT_SKIPPED)


def _extract_all(
    spec: Spec,
    models: Models,
    asked: tuple[str, ...],
    root: str | None,
    home: Path,
    request: Callable[[str, Path], ExtractRequest],
    bars: Bars,
) -> int:
    """Extracts domain after domain, says what became of each; returns how many images are skipped.

    Raises:
        W2SError: See :func:`w2s_cache.extract.domain.extract_domain`.
    """
    from w2s_cache.data.source import data_root, list_domains
    from w2s_cache.extract.domain import extract_domain
    from w2s_cache.extract.imported import check_imported

    found = data_root(
        spec.data, given=root, home=home, progress=bars.advance, announce=bars.announce
    )
    bars.end()
    load, skipped = _loader(models.strong, bars), 0
    names = chosen_domains(spec, asked, list_domains(spec.data, found))
    requests = {domain: request(domain, found) for domain in names}
    check_imported(requests)
    for domain, wanted in requests.items():
        began = time.perf_counter()
        done = extract_domain(wanted, domain, strong=load, progress=bars)
        seconds = time.perf_counter() - began
        bars.result(summary(done, seconds, imported=wanted.weak_logits is not None))
        if done.skipped:
            bars.say(left_out(done))
        skipped += len(done.skipped)
    return skipped


def extract_request(
    domain: str,
    root: Path,
    *,
    spec: Spec,
    models: Models,
    weak_logits: str | None,
    home: Path,
    **means: Any,
) -> ExtractRequest:
    """The request for one domain; ``{domain}`` in the name of imported logits is replaced."""
    from w2s_cache.extract.request import ExtractRequest

    return ExtractRequest(
        spec=spec,
        strong_name=models.strong_name,
        strong=models.strong,
        weak_name=models.weak_name,
        weak=models.weak,
        weak_logits=Path(weak_logits.replace("{domain}", domain)) if weak_logits else None,
        home=home,
        root=root,
        **means,
    )


def _refuse_names(spec: Spec, models: Models, weak_logits: str | None) -> None:
    """Only what a section of the spec, or ARCH,TAG, names can be extracted.

    Raises:
        UnknownNameError: A name that is neither.
        WeakLogitsError: Imported logits are called like a section of the spec.
    """
    if models.strong.library == IMPORTED and models.strong_name not in spec.strong:
        raise UnknownNameError("strong encoder", models.strong_name, spec.strong)
    refuse_weak_confusion(spec, models, weak_logits)


def _loader(section: StrongSpec, bars: Bars) -> functools._lru_cache_wrapper[StrongEncoder]:
    @functools.cache
    def load(device: str) -> StrongEncoder:
        from w2s_cache.extract.loaders import strong_loader

        bars.say(f"loading {section.model} on {device} in {section.precision}")
        return strong_loader(section)(device=device)

    return load
