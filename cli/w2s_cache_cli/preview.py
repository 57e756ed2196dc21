"""`w2s-cache extract --dry-run`: what there is and what is cached, without drawing or writing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from w2s_cache.counted import counted
from w2s_cache.spec import Spec
from w2s_cache_cli.models import Models
from w2s_cache_cli.options import chosen_domains
from w2s_cache_cli.terminal import echo

if TYPE_CHECKING:
    from w2s_cache.extract.request import ExtractRequest


def preview(
    spec: Spec,
    models: Models,
    asked: tuple[str, ...],
    *,
    given: str | None,
    home: Path,
    request: Callable[[str, Path], ExtractRequest],
) -> None:
    """Prints a line for the pair and one per domain; a root that is named is looked at.

    Raises:
        W2SError: The root or a domain is not what the spec says, or logits are not there.
    """
    from w2s_cache.data.source import data_root, list_domains
    from w2s_cache.extract.preview import preview_domain
    from w2s_cache.weak.imported import refuse_absent

    root = None
    if given or spec.data.root:  # without one the embedded data set would be drawn
        root = data_root(spec.data, given=given, home=home)
    known = spec.data.domains or (list_domains(spec.data, root) if root else asked)
    names = chosen_domains(spec, asked, known)
    requests = {domain: request(domain, root or home) for domain in names}
    for wanted in requests.values():
        if wanted.weak_logits is not None:
            refuse_absent(wanted.weak_logits)
    pair = f"{models.strong_name} and {models.weak_name}"
    echo(f"{spec.name}: {', '.join(names) or 'every folder of the root'} with {pair} → {home}")
    for domain, wanted in requests.items():
        seen = preview_domain(wanted, domain, listed=root is not None)
        count = "" if seen.rows is None else f"{counted(seen.rows, 'image')}, "
        echo(f"{domain}: {count}{seen.state}")
