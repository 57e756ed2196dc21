"""What `w2s-cache import` makes of its options, and the names it refuses."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2s_cache.errors import ImportedFeaturesError
from w2s_cache.request import IMPORTED
from w2s_cache.sections import Overrides
from w2s_cache.spec import Spec, StrongSpec
from w2s_cache_cli.models import Models
from w2s_cache_cli.progress import Bars

if TYPE_CHECKING:
    from w2s_cache.encoders.protocol import TextEncoder
    from w2s_cache.extract.request import ExtractRequest
    from w2s_cache.interchange import ImportRequest

BY_MODEL, NO_TEXT = "model", "none"


def import_request(
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


def refuse_name(spec: Spec, models: Models) -> None:
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


def refuse_one_for_all(source: str, order: str | None, domains: tuple[str, ...]) -> None:
    """Rows without paths belong to one domain: their class numbers may fit another by accident.

    Raises:
        ImportedFeaturesError: One such source is to serve several domains.
    """
    if order is None or len(domains) < 2 or "{domain}" in source:
        return
    raise ImportedFeaturesError(
        f"imported features {source}, whose files name no image",
        expected="one domain, or `{domain}` in the path",
        found=f"the domains {', '.join(domains)}",
        fix="Name the one they are of with --domain.",
    )


def text_tower(
    said: Mapping[str, Any], overrides: Overrides, device: str, bars: Bars
) -> functools._lru_cache_wrapper[TextEncoder | None]:
    """Loads the declared model once, when class text is asked of it."""

    @functools.cache
    def load() -> TextEncoder | None:
        from w2s_cache.encoders.catalogue import load_encoder

        model = ",".join(part for part in (said["model"], said["pretrained"]) if part)
        precision = overrides.precision or StrongSpec.model_fields["precision"].default
        bars.say(f"loading the text tower of {model} on {device} in {precision}")
        return load_encoder(
            "open_clip",
            model,
            checkpoint=overrides.strong_checkpoint,
            precision=precision,
            device=device,
        ).text

    return load
