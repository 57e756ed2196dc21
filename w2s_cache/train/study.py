"""Many runs: every method and seed on every domain, each domain's features loaded once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2s_cache.errors import EncoderError, TrainError, UnknownNameError
from w2s_cache.method import build_head, build_loss, build_self_training, build_start
from w2s_cache.methods import find_method, method_names
from w2s_cache.request import feature_request
from w2s_cache.spec import Spec, StrongSpec, WeakSpec
from w2s_cache.store.contents import cached_domains
from w2s_cache.store.feature_set import FeatureSet, read_feature_set
from w2s_cache.train.anchors import with_anchors
from w2s_cache.train.inputs import DomainInputs, load_inputs
from w2s_cache.train.outcome import RunFailure, RunOutcome
from w2s_cache.train.run import RunRequest, run
from w2s_cache.train.settings import RECIPE, declare, declared_candidates, resolve, usable
from w2s_cache.train.task import Tower


@dataclass(frozen=True, kw_only=True, slots=True)
class Study:
    """What to run.

    Attributes:
        spec: The whole spec.
        strong_name: Name of the strong encoder; ``strong`` is its section.
        weak_name: Name of the weak model; ``weak`` is its section, None when imported.
        domains: Domains in order.
        methods: Methods in order.
        seeds: Run seeds.
        options: Hyper-parameters that override the spec's, for every method.
        device: A torch device string.
        tower: Attaches the text tower, for methods that train through it.
        curves: Whether accuracies by ground truth are put into the traces.
        memory: Bytes that a domain's features and logits may take in training; a larger one is
            read from disk meanwhile, with the same numbers. None for no limit.
        say: Told of damaged and older runs that are run again, and of candidates that diverged.
    """

    spec: Spec
    strong_name: str
    strong: StrongSpec
    weak_name: str
    weak: WeakSpec | None
    domains: Sequence[str]
    methods: Sequence[str]
    seeds: Sequence[int]
    options: Mapping[str, Any]
    device: str
    tower: Tower | None = None
    curves: bool = False
    memory: int | None = None
    say: Callable[[str], None] = lambda _: None


def run_study(study: Study, *, home: Path, results_dir: Path) -> Iterator[RunOutcome | RunFailure]:
    """Yields every run as it finishes; what can be refused is refused before the first.

    A run that fails keeps no other from being made: it is yielded as a failure.

    Raises:
        UnknownNameError: No such method.
        TrainError: A hyper-parameter that a method does not have.
        StoreError: Features of any domain are missing, stale or damaged.
    """
    check_names(study)
    _say_unused(study)
    for found in _feature_sets(study, home, study.domains):
        inputs = _inputs(study, home, found)
        for name in study.methods:
            request = RunRequest(
                spec=study.spec,
                features=found,
                method=name,
                seeds=study.seeds,
                options=_options(study, name),
                device=study.device,
                tower=study.tower,
                curves=study.curves,
                say=study.say,
            )
            yield from _ended(request, inputs, results_dir)


def _ended(
    request: RunRequest, inputs: DomainInputs, results_dir: Path
) -> Sequence[RunOutcome | RunFailure]:
    """The runs of one method on one domain; what none of them can be made from fails them all."""
    try:
        return run(request, inputs, results_dir)
    except (TrainError, EncoderError) as error:
        seeds, domain = tuple(request.seeds), request.features.domain
        return [RunFailure(method=request.method, domain=domain, seeds=seeds, error=error)]


def check_names(study: Study) -> None:
    """Refuses methods that do not exist and hyper-parameters that a method cannot be built with.

    Sections ``[train.methods.NAME]`` of the spec must name methods too, those not run included: a
    misspelt one would leave its method with other settings than the spec says.

    Raises:
        UnknownNameError: No such method.
        TrainError: No method at all, a hyper-parameter that a method does not have, or a value
            that has no meaning.
    """
    if not study.methods:
        raise TrainError(
            f"nothing to train for spec {study.spec.name}",
            expected="at least one method",
            found="none",
            fix="Give --method, or list `methods` in the spec.",
        )
    known = method_names()
    for name in study.spec.train.methods:
        if name not in known:
            raise UnknownNameError("method of a section [train.methods.NAME]", name, known)
    for name in study.methods:
        method = find_method(name)
        declared = declare(study.spec, name, _options(study, name))
        for candidate in declared_candidates(declared):
            select, typed = study.spec.protocol.select, study.options
            options, _ = resolve(name, method, candidate, select=select, typed=typed)
            if method.head is not None:
                build_head(method, options)
                build_start(method, options)
                build_loss(method, options)
                build_self_training(method, options)


def _options(study: Study, name: str) -> Mapping[str, Any]:
    """The study's options for a method: trainer settings pass by untrained methods among others."""
    among = any(find_method(other).loss is not None for other in study.methods)
    return usable(name, study.options) if among else study.options


def _say_unused(study: Study) -> None:
    """Says which methods trainer settings do not apply to."""
    settings = ", ".join(name for name in study.options if name.startswith(RECIPE))
    untrained = [name for name in study.methods if find_method(name).loss is None]
    if settings and untrained:
        study.say(f"{settings}: not for {', '.join(untrained)}, where nothing is trained")


def _inputs(study: Study, home: Path, found: FeatureSet) -> DomainInputs:
    """A domain's tensors; anchors come from all other domains in the cache, trained or not."""
    inputs = load_inputs(home, found, memory=study.memory, say=study.say)
    if study.strong.anchors == "none":
        return inputs
    names = {"strong": study.strong_name, "weak": study.weak_name}
    cached = cached_domains(home, study.spec.name, **names)
    others = [domain for domain in cached if domain != found.domain]
    return with_anchors(home, inputs, _feature_sets(study, home, others))


def _feature_sets(study: Study, home: Path, domains: Sequence[str]) -> list[FeatureSet]:
    """The feature set of every domain, each compared with what the spec asks for now."""
    asked = feature_request(study.spec, strong=study.strong, weak=study.weak)
    return [
        read_feature_set(
            home,
            dataset=study.spec.name,
            domain=domain,
            strong=study.strong_name,
            weak=study.weak_name,
            request=asked,
        )
        for domain in domains
    ]
