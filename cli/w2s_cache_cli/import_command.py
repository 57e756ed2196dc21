"""`w2s-cache import`: somebody else's features → cache."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from w2s_cache.errors import ImportedFeaturesError
from w2s_cache.request import IMPORTED
from w2s_cache.spec import Spec
from w2s_cache_cli.extract_command import extract_request
from w2s_cache_cli.models import Models, chosen_models, refuse_weak_confusion
from w2s_cache_cli.options import (
    cache_dir_option,
    chosen_domains,
    device_option,
    domain_option,
    quiet_option,
    read_spec,
    spec_option,
)
from w2s_cache_cli.progress import Bars

if TYPE_CHECKING:
    from w2s_cache.encoders.protocol import TextEncoder
    from w2s_cache.extract.request import ExtractRequest
    from w2s_cache.interchange import Imported, ImportRequest

BY_MODEL, NO_TEXT = "model", "none"


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
@click.option(
    "--root",
    envvar="W2S_DATA_ROOT",
    show_envvar=True,
    help="Folder of the images, which are indexed. Default: the spec's.",
)
@click.option("--weak", help="Weak model, or the name of imported logits. Default: the first.")
@click.option("--weak-logits", help="Import predictions too, as `extract --weak-logits` does.")
@click.option(
    "--weak-checkpoint",
    envvar="W2S_WEAK_CHECKPOINT",
    show_envvar=True,
    help="Local weights the weak model starts from.",
)
@click.option(
    "--strong-checkpoint",
    envvar="W2S_STRONG_CHECKPOINT",
    show_envvar=True,
    help="Local weights of --model, for --text model.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16", "fp16"]),
    default="fp32",
    show_default=True,
    help="Compute precision of --text model.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=lambda: min(8, os.cpu_count() or 1),
    show_default="cores, at most 8",
    help="Decoding threads, where the weak model has to be trained.",
)
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
    weak_checkpoint: str | None,
    root: str | None,
    workers: int,
    cache_dir: Path,
    device: str,
    quiet: bool,
    **said: Any,
) -> None:
    """Take features that somebody else computed, matched by image path and checked row by row.

    SOURCE is a parquet, npz or safetensors file with `path` and `features`, or a folder of
    `w2s-cache export`, clip-retrieval or CLIP_benchmark; `{domain}` in it is replaced. A source may
    hold all domains. See docs/interchange.md.

    \b
    Examples:
      w2s-cache import out/{domain} --strong theirs
      w2s-cache import laion --model ViT-B-32 --pretrained openai --prefix /data/pacs --text model
      w2s-cache import mine.npz --domain real --model my-clip --raw --weak-logits weak.parquet
    """
    from w2s_cache.data.source import data_root, list_domains
    from w2s_cache.encoders.device import resolve_device
    from w2s_cache.interchange import import_domain

    spec, bars = read_spec(spec_name), Bars(quiet=quiet)
    models = chosen_models(
        spec,
        strong=strong,
        weak=weak or (IMPORTED if weak_logits else None),
        precision=None,
        strong_checkpoint=None,
        weak_checkpoint=weak_checkpoint,
    )
    _refuse_name(spec, models)
    refuse_weak_confusion(spec, models, weak_logits)
    found = data_root(
        spec.data, given=root, home=cache_dir, progress=bars.advance, announce=bars.announce
    )
    bars.end()
    on = resolve_device(device)
    tower = _tower(said, on, bars)
    means: dict[str, Any] = {"home": cache_dir, "root": found, "device": on, "workers": workers}
    for domain in chosen_domains(spec, domains, list_domains(spec.data, found)):
        began = time.perf_counter()
        extract = extract_request(
            domain, spec=spec, models=models, weak_logits=weak_logits, **means
        )
        request = _request(domain, source, extract, said)
        done = import_domain(request, domain, encoder=tower, progress=bars)
        bars.result(_summary(done, time.perf_counter() - began))
    bars.say(f"next: w2s-cache train --spec {spec_name} --strong {strong}")


def _request(
    domain: str, source: str, extract: ExtractRequest, said: Mapping[str, Any]
) -> ImportRequest:
    """The request for one domain; ``{domain}`` in names is replaced."""
    from w2s_cache.interchange import Declaration, ImportRequest
    from w2s_cache.interchange.find_source import TEXT, exported_file

    def of_domain(name: str) -> str:
        return name.replace("{domain}", domain)

    path, text = Path(of_domain(source)), said["text"]
    if text is None:
        file = exported_file(path, TEXT)
    else:
        file = None if text in (BY_MODEL, NO_TEXT) else Path(of_domain(text))
    fields = ("model", "pretrained", "tensor", "normalized")
    return ImportRequest(
        extract=extract,
        source=path,
        declared=Declaration(**{name: said[name] for name in fields}),
        order=None if said["row_order"] is None else of_domain(said["row_order"]),
        prefix=said["prefix"],
        text=file,
        text_by_model=text == BY_MODEL,
        logit_scale=said["logit_scale"],
    )


def _refuse_name(spec: Spec, models: Models) -> None:
    """Imported features have a name of their own, which no section and no model of a library has.

    Raises:
        ImportedFeaturesError: They are called like something else.
    """
    if models.strong.library == IMPORTED:
        return
    name = models.strong_name
    raise ImportedFeaturesError(
        f"imported features cannot be called {name}",
        expected="a name that is no strong encoder of the spec, without comma, colon and slash",
        found=f"the section [strong.{name}]" if name in spec.strong else f"{name!r}",
        fix="Choose another name with --strong, or leave it out.",
    )


def _tower(
    said: Mapping[str, Any], device: str, bars: Bars
) -> functools._lru_cache_wrapper[TextEncoder | None]:
    """Loads the declared model once, when class text is asked of it."""

    @functools.cache
    def load() -> TextEncoder | None:
        from w2s_cache.encoders.catalogue import load_encoder

        model = ",".join(part for part in (said["model"], said["pretrained"]) if part)
        bars.say(f"loading the text tower of {model} on {device} in {said['precision']}")
        return load_encoder(
            "open_clip",
            model,
            checkpoint=said["strong_checkpoint"],
            precision=said["precision"],
            device=device,
        ).text

    return load


def _summary(done: Imported, seconds: float) -> str:
    parts = ", ".join(
        f"{name} {f'{count:,} written' if count else 'reused'}"
        for name, count in done.written.items()
    )
    text = "" if done.has_text else "; no class text, so no zero-shot and no text start"
    return f"{done.domain}: {done.rows:,} images, {parts}{text} ({seconds:.1f} s)"
