"""`w2s-cache import`: somebody else's features → cache."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from w2s_cache.counted import counted
from w2s_cache.request import IMPORTED
from w2s_cache.sections import Overrides
from w2s_cache_cli.extract_command import extract_request
from w2s_cache_cli.import_source import (
    import_request,
    refuse_name,
    refuse_one_for_all,
    text_tower,
)
from w2s_cache_cli.models import (
    chosen_models,
    override_options,
    refuse_weak_confusion,
    weak_option,
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
from w2s_cache_cli.processes import default_workers, workers_option
from w2s_cache_cli.progress import Bars

if TYPE_CHECKING:
    from w2s_cache.interchange import Imported


@click.command()
@click.argument("source")
@spec_option
@domain_option
@click.option(
    "--strong",
    default=IMPORTED,
    show_default=True,
    help="Name of these features: `train --strong NAME` reads them.",
)
@click.option("--model", help="The model they come from, e.g. ViT-B-32.")
@click.option("--pretrained", help="Its weights tag, e.g. laion2b_s34b_b79k.")
@click.option(
    "--tensor",
    type=click.Choice(["features", "preprojection"]),
    default="features",
    show_default=True,
    help="Which vectors: of the joint space, or those that enter the projection.",
)
@click.option(
    "--normalized/--raw",
    default=None,
    help="Whether rows were scaled to unit length. Needed unless the source says it; checked.",
)
@click.option(
    "--text",
    help="Class text: a file, `model` (the spec's first templates through --model,--pretrained of "
    "open_clip), or `none`. Default: text.* of an export, else none.",
)
@click.option("--logit-scale", type=float, help="Factor on cosines, where --text does not say it.")
@click.option(
    "--row-order",
    help="For sources without paths: a text file of paths, `{split}` in its name replaced, or "
    "`index`. Checked against class numbers.",
)
@click.option("--prefix", help="What precedes every path in the source, e.g. /data/domainnet.")
@root_option
@weak_option
@click.option("--weak-logits", help="Import predictions too, as `extract --weak-logits` does.")
@override_options
@workers_option
@cache_dir_option
@device_option
@quiet_option
def command(
    source: str,
    spec_name: str,
    domains: tuple[str, ...],
    strong: str,
    weak: str | None,
    weak_logits: str | None,
    overrides: Overrides,
    root: str | None,
    workers: int | None,
    cache_dir: Path,
    device: str,
    quiet: bool,
    **said: Any,
) -> None:
    """Take features that somebody else computed, matched by image path and checked row by row.

    SOURCE is a parquet, npz or safetensors file with `path` and `features`, or a folder of
    `w2s-cache export`, clip-retrieval or CLIP_benchmark; `{domain}` in it is replaced. A source may
    hold all domains. See docs/interchange.md. --precision and --strong-checkpoint are of --model
    and serve `--text model`; --decoder, --weak-checkpoint and --workers serve a weak model that has
    to be trained or applied.

    \b
    Examples:
      w2s-cache import out/{domain} --strong theirs
      w2s-cache import laion --model ViT-B-32 --pretrained openai \\
          --prefix /data/pacs --text model
      w2s-cache import mine.npz --domain real --model my-clip --raw \\
          --weak-logits weak.parquet
    """
    from w2s_cache.data.source import data_root, list_domains
    from w2s_cache.encoders.device import resolve_device
    from w2s_cache.extract.imported import check_imported
    from w2s_cache.interchange import import_domain

    spec, bars = read_spec(spec_name), Bars(quiet=quiet)
    models = chosen_models(
        spec,
        strong=strong,
        weak=weak or (IMPORTED if weak_logits else None),
        overrides=overrides,
    )
    refuse_name(spec, models)
    refuse_weak_confusion(spec, models, weak_logits)
    found = data_root(
        spec.data, given=root, home=cache_dir, progress=bars.advance, announce=bars.announce
    )
    bars.end()
    on = resolve_device(device)
    tower = text_tower(said, overrides, on, bars)
    names = chosen_domains(spec, domains, list_domains(spec.data, found))
    refuse_one_for_all(source, said["row_order"], names)
    request = partial(
        extract_request,
        root=found,
        spec=spec,
        models=models,
        weak_logits=weak_logits,
        home=cache_dir,
        device=on,
        workers=workers or default_workers(),
    )
    requests = {domain: request(domain) for domain in names}
    check_imported(requests)
    for domain, extract in requests.items():
        began = time.perf_counter()
        wanted = import_request(domain, source, extract, said)
        done = import_domain(wanted, domain, encoder=tower, progress=bars)
        bars.result(_summary(done, time.perf_counter() - began))
    bars.say(f"next: {next_step('train', strong=strong, weak=models.weak_name)}")


def _summary(done: Imported, seconds: float) -> str:
    parts = ", ".join(
        f"{name} {f'{count:,} written' if count else 'reused'}"
        for name, count in done.written.items()
    )
    text = "" if done.has_text else "; no class text, so no zero-shot and no text start"
    return f"{done.domain}: {counted(done.rows, 'image')}, {parts}{text} ({seconds:.1f} s)"
