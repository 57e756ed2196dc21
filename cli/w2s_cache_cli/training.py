"""What train and sweep share: from options to a study, and from its outcomes to lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2s_cache.counted import counted
from w2s_cache.errors import StoreError
from w2s_cache.request import IMPORTED
from w2s_cache.spec import Spec
from w2s_cache_cli.known_names import refuse_models_unknown_to_cache
from w2s_cache_cli.models import Models
from w2s_cache_cli.next_steps import next_step, same_step
from w2s_cache_cli.options import chosen_domains
from w2s_cache_cli.outcome_lines import outcome_lines
from w2s_cache_cli.progress import Bars
from w2s_cache_cli.terminal import echo
from w2s_cache_cli.train_options import Training

if TYPE_CHECKING:
    from w2s_cache.train.outcome import RunFailure
    from w2s_cache.train.study import Study


def make_study(
    training: Training,
    models: Models,
    bars: Bars,
    *,
    methods: tuple[str, ...],
    seeds: Sequence[int],
) -> Study:
    """One pair of models as a study; what is left out is said aloud.

    Raises:
        UnknownNameError: A domain the data set does not have, a model that neither the spec nor
            the cache knows.
        StoreError: Nothing was extracted for this pair of models; pairs that are there are named.
    """
    from w2s_cache.encoders.device import resolve_device
    from w2s_cache.encoders.reattach import Reattached
    from w2s_cache.methods import expand_groups
    from w2s_cache.train.memory import default_limit
    from w2s_cache.train.study import Study

    spec = training.spec
    on = resolve_device(training.device)
    return Study(
        spec=spec,
        strong_name=models.strong_name,
        strong=models.strong,
        weak_name=models.weak_name,
        weak=models.weak,
        domains=extracted_domains(spec, models, training.domains, training.cache_dir, bars),
        methods=expand_groups(methods),
        seeds=seeds,
        options=training.options,
        device=on,
        tower=Reattached(models.strong, on, bars.say),
        memory=default_limit() if training.memory is None else training.memory,
        curves=training.curves,
        say=bars.say,
    )


def run_studies(studies: Sequence[Study], training: Training, bars: Bars) -> None:
    """Runs every study under one bar and prints a line per domain and method.

    Raises:
        W2SError: Whatever can be refused is refused before the first run; runs that failed are
            named when all others are done.
    """
    from w2s_cache.train.outcome import refuse_failures
    from w2s_cache.train.study import check_names, run_study

    for study in studies:
        check_names(study)
    total = sum(len(s.domains) * len(s.methods) * len(s.seeds) for s in studies)
    runs = counted(total, "run")
    if training.dry_run:
        echo(runs)
        for study in studies:
            names = f"{', '.join(study.methods)} on {', '.join(study.domains)}"
            echo(f"{study.strong_name} and {study.weak_name}: {names}")
        return
    bars.say(f"{runs} on {studies[0].device}, records in {training.results_dir}")
    failures: list[RunFailure] = []
    bars.begin("training", total, unit="run")
    for study in studies:
        if len(studies) > 1:
            bars.result(f"{study.strong_name} and {study.weak_name}")
        outcomes = run_study(study, home=training.cache_dir, results_dir=training.results_dir)
        for line in outcome_lines(study, _counted(outcomes, bars, failures)):
            bars.result(line)
    bars.end()
    refuse_failures(failures, total)


def extracted_domains(
    spec: Spec,
    models: Models,
    asked: tuple[str, ...],
    home: Path,
    bars: Bars,
) -> tuple[str, ...]:
    """The domains asked for, else all that were extracted; those left out are said aloud.

    Args:
        spec: The spec.
        models: The pair of models.
        asked: Domains that were named.
        home: The cache home.
        bars: Where to say it.

    Raises:
        UnknownNameError: A domain the data set does not have, a model that neither the spec nor
            the cache knows.
        StoreError: Nothing was extracted for this pair of models; pairs that are there are named.
    """
    from w2s_cache.store.contents import cached_domains, cached_pairs

    pair = {"strong": models.strong_name, "weak": models.weak_name}
    extracted, pairs = cached_domains(home, spec.name, **pair), cached_pairs(home, spec.name)
    refuse_models_unknown_to_cache(spec, models, pairs)
    known = spec.data.domains or extracted
    if asked and known:
        return chosen_domains(spec, asked, known)
    if not extracted:
        there = {p for d in asked or ("*",) for p in cached_pairs(home, spec.name, domain=d)}
        raise _nothing_extracted(spec, models, sorted(there))
    absent = [domain for domain in known if domain not in extracted]
    if absent:
        bars.say(
            f"not extracted, left out: {', '.join(absent)}; {_extract(models, absent)} adds them"
        )
    return tuple(domain for domain in known if domain in extracted)


def _nothing_extracted(spec: Spec, models: Models, pairs: Sequence[tuple[str, str]]) -> StoreError:
    """Names the command that takes a pair which is there, before the one that makes another."""
    from w2s_cache.store.contents import choices_there, pairs_shown

    asked = {"strong": models.strong_name, "weak": models.weak_name}
    steps = [same_step(choice) for choice in choices_there(pairs, **asked)]
    there = f"Run {' or '.join(steps)} to use what is there, or" if steps else "Run"
    return StoreError(
        f"no features of {models.strong_name} and {models.weak_name} on {spec.name}",
        expected="at least one extracted domain",
        found=pairs_shown(pairs),
        fix=f"{there} {_extract(models)}{' to make them' if steps else ' first'}.",
    )


def _extract(models: Models, domains: Sequence[str] = ()) -> str:
    words = ("import", "SOURCE") if models.strong.library == IMPORTED else ("extract",)
    pair = {"strong": models.strong_name, "weak": models.weak_name}
    return next_step(*words, domain=domains, **pair)


def _counted(outcomes: Iterable[Any], bars: Bars, failures: list[RunFailure]) -> Iterator[Any]:
    """The finished runs; those that failed are put aside."""
    from w2s_cache.train.outcome import RunFailure

    for outcome in outcomes:
        if isinstance(outcome, RunFailure):
            failures.append(outcome)
            bars.advance(len(outcome.seeds))
        else:
            bars.advance(1)
            yield outcome
