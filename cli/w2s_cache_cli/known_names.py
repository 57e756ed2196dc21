"""Names that only the cache or the results know: refused with the nearest one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from w2s_cache.errors import UnknownNameError
from w2s_cache.spec import Spec


def refuse_unknown(kind: str, name: str, known: Collection[str]) -> None:
    """Refuses a name that is not among those known.

    Raises:
        UnknownNameError: It is not.
    """
    if name not in known:
        raise UnknownNameError(kind, name, known)


def refuse_names_without_runs(
    spec: Spec, results_dir: Path, *, domains: Sequence[str], weak: Sequence[str]
) -> None:
    """Refuses domains and weak models that neither the spec nor a run of its data set has.

    Records are read only for names that are not in the spec.

    Raises:
        UnknownNameError: A name of neither.
    """
    asked = (("domain", domains, spec.data.domains), ("weak", weak, spec.weak))
    for field, names, declared in asked:
        strangers = [name for name in names if name not in declared]
        if not strangers:
            continue
        known = {*declared, *_in_runs(spec, results_dir, field)}
        kind = f"domain of {spec.name}" if field == "domain" else "weak model"
        for name in strangers if known else ():
            refuse_unknown(kind, name, known)


def _in_runs(spec: Spec, results_dir: Path, field: str) -> set[str]:
    from w2s_cache.results import find_runs

    return {str(getattr(run, field)) for run in find_runs(results_dir, dataset=spec.name)}
