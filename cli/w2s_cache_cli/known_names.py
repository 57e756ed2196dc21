"""Names that only the cache or the results know: refused with the nearest one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from w2s_cache.errors import UnknownNameError
from w2s_cache.request import IMPORTED
from w2s_cache.sections import strong_section_of
from w2s_cache.spec import Spec
from w2s_cache_cli.models import Models
from w2s_cache_cli.next_steps import next_step

_IMPORT = "To import under this name"


def refuse_unknown(kind: str, name: str, known: Collection[str], *, otherwise: str = "") -> None:
    """Refuses a name that is not among those known; ``otherwise`` says how it could become one.

    Raises:
        UnknownNameError: It is not.
    """
    if name not in known:
        raise UnknownNameError(kind, name, known, otherwise=otherwise)


def refuse_models_unknown_to_cache(
    spec: Spec, models: Models, pairs: Sequence[tuple[str, str]]
) -> None:
    """Refuses imported models that nobody imported, which a misspelt section looks like.

    Args:
        spec: The whole spec.
        models: The models asked for.
        pairs: The (strong, weak) names that the cache has.

    Raises:
        UnknownNameError: A name that neither the spec nor the cache knows.
    """
    strong, weak = models.strong_name, models.weak_name
    if models.strong.library == IMPORTED:
        known = {*spec.strong, *(name for name, _ in pairs)}
        step = next_step("import", "SOURCE", strong=strong)
        refuse_unknown("strong encoder", strong, known, otherwise=f"{_IMPORT}: {step}.")
    if models.weak is None:
        known = {*spec.weak, *(name for _, name in pairs)}
        step = next_step("extract", weak=weak, weak_logits="FILE")
        refuse_unknown("weak model", weak, known, otherwise=f"{_IMPORT}: {step}.")


def refuse_names_without_runs(
    spec: Spec,
    results_dir: Path,
    *,
    domains: Sequence[str] = (),
    strong: Sequence[str] = (),
    weak: Sequence[str] = (),
) -> None:
    """Refuses domains and models that neither the spec nor a run of its data set has.

    Records are read only for names that are not in the spec. ``ARCH,TAG`` needs no section.

    Raises:
        UnknownNameError: A name of neither.
    """
    short = [name for name in strong if strong_section_of(spec, name)[1].library == IMPORTED]
    asked = (
        ("domain", domains, spec.data.domains),
        ("strong", short, spec.strong),
        ("weak", weak, spec.weak),
    )
    kinds = {"domain": f"domain of {spec.name}", "strong": "strong encoder", "weak": "weak model"}
    for field, names, declared in asked:
        strangers = [name for name in names if name not in declared]
        if not strangers:
            continue
        known = {*declared, *_in_runs(spec, results_dir, field)}
        for name in strangers if known else ():
            refuse_unknown(kinds[field], name, known)


def _in_runs(spec: Spec, results_dir: Path, field: str) -> set[str]:
    from w2s_cache.results import find_runs

    return {str(getattr(run, field)) for run in find_runs(results_dir, dataset=spec.name)}
