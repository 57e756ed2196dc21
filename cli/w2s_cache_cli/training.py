"""What train and sweep share: from options to a study, and from its outcomes to lines."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2s_cache.errors import StoreError
from w2s_cache.spec import Spec
from w2s_cache_cli.known_names import refuse_unknown
from w2s_cache_cli.models import Models
from w2s_cache_cli.options import chosen_domains
from w2s_cache_cli.progress import Bars
from w2s_cache_cli.terminal import echo

if TYPE_CHECKING:
    from w2s_cache.train.study import Study


def make_study(
    spec: Spec,
    models: Models,
    bars: Bars,
    *,
    domains: tuple[str, ...],
    methods: tuple[str, ...],
    seeds: Sequence[int],
    options: Mapping[str, Any],
    device: str,
    curves: bool,
    cache_dir: Path,
) -> Study:
    """One pair of models as a study; what is left out is said aloud.

    Raises:
        UnknownNameError: A domain the data set does not have, a weak model that neither the spec
            nor the cache knows.
        StoreError: Nothing was extracted for this pair of models.
    """
    from w2s_cache.encoders.device import resolve_device
    from w2s_cache.encoders.reattach import Reattached
    from w2s_cache.methods import expand_groups
    from w2s_cache.store.contents import cached_domains, cached_pairs
    from w2s_cache.train.study import Study

    on = resolve_device(device)
    pairs = cached_pairs(cache_dir, spec.name)
    if models.weak is None:
        refuse_unknown("weak model", models.weak_name, {*spec.weak, *(weak for _, weak in pairs)})
    extracted = cached_domains(
        cache_dir, spec.name, strong=models.strong_name, weak=models.weak_name
    )
    return Study(
        spec=spec,
        strong_name=models.strong_name,
        strong=models.strong,
        weak_name=models.weak_name,
        weak=models.weak,
        domains=extracted_domains(spec, models, domains, (extracted, pairs), bars),
        methods=expand_groups(methods),
        seeds=seeds,
        options=options,
        device=on,
        tower=Reattached(models.strong, on, bars.say),
        curves=curves,
        say=bars.say,
    )


def run_studies(
    studies: Sequence[Study], bars: Bars, *, cache_dir: Path, results_dir: Path, dry_run: bool
) -> None:
    """Runs every study under one bar and prints a line per domain and method.

    Raises:
        W2SError: Whatever can be refused is refused before the first run.
    """
    from w2s_cache.train.study import check_names, run_study

    for study in studies:
        check_names(study)
    total = sum(len(s.domains) * len(s.methods) * len(s.seeds) for s in studies)
    if dry_run:
        echo(f"{total} runs")
        for study in studies:
            names = f"{', '.join(study.methods)} on {', '.join(study.domains)}"
            echo(f"{study.strong_name} and {study.weak_name}: {names}")
        return
    bars.say(f"{total} runs on {studies[0].device}, records in {results_dir}")
    bars.begin("training", total, unit="run")
    for study in studies:
        if len(studies) > 1:
            bars.result(f"{study.strong_name} and {study.weak_name}")
        outcomes = run_study(study, home=cache_dir, results_dir=results_dir)
        for line in _summaries(_counted(outcomes, bars)):
            bars.result(line)
    bars.end()


def extracted_domains(
    spec: Spec,
    models: Models,
    asked: tuple[str, ...],
    cached: tuple[tuple[str, ...], tuple[tuple[str, str], ...]],
    bars: Bars,
) -> tuple[str, ...]:
    """The domains asked for, else all that were extracted; those left out are said aloud.

    Args:
        spec: The spec.
        models: The pair of models.
        asked: Domains that were named.
        cached: Domains with a feature set of the pair, and all (strong, weak) of the data set.
        bars: Where to say it.

    Raises:
        UnknownNameError: A domain the data set does not have.
        StoreError: Nothing was extracted for this pair of models.
    """
    from w2s_cache.store.contents import pairs_shown

    extracted, pairs = cached
    known = spec.data.domains or extracted
    if asked and known:
        return chosen_domains(spec, asked, known)
    if not extracted:
        raise StoreError(
            f"no features of {models.strong_name} and {models.weak_name} on {spec.name}",
            expected="at least one extracted domain",
            found=pairs_shown(pairs),
            fix="Run `w2s-cache extract` with the same --spec and models first, or name models "
            "that are there with --strong and --weak.",
        )
    absent = [domain for domain in known if domain not in extracted]
    if absent:
        bars.say(f"not extracted, left out: {', '.join(absent)}")
    return tuple(domain for domain in known if domain in extracted)


def _counted(outcomes: Iterable[Any], bars: Bars) -> Iterator[Any]:
    for outcome in outcomes:
        bars.advance(1)
        yield outcome


def _summaries(outcomes: Iterable[Any]) -> Iterator[str]:
    """One line per (domain, method): mean accuracy over seeds, weak accuracy, reuse."""
    for (domain, method), group in groupby(
        outcomes, key=lambda outcome: (outcome.record.domain, outcome.record.method)
    ):
        members = list(group)
        if members[0].record.status != "done":
            yield f"{domain:12} {method:18} n/a: {members[0].record.reason}"
            continue
        values = [100 * member.record.metrics["accuracy"] for member in members]
        weak = [100 * member.record.metrics["weak_accuracy"] for member in members]
        spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
        reused = sum(member.reused for member in members)
        note = f", {reused} reused" if reused else ""
        yield (
            f"{domain:12} {method:18} {statistics.mean(values):5.1f}{spread} "
            f"(weak {statistics.mean(weak):.1f}; n={len(values)}{note})"
        )
