"""Many runs: every method and seed on every domain, each domain's features loaded once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2s_cache.methods import find_method
from w2s_cache.request import feature_request
from w2s_cache.spec import Spec, StrongSpec, WeakSpec
from w2s_cache.store.feature_set import read_feature_set
from w2s_cache.train.inputs import load_inputs
from w2s_cache.train.run import RunOutcome, RunRequest, declare, run


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


def run_study(study: Study, *, home: Path, results_dir: Path) -> Iterator[RunOutcome]:
    """Yields every run as it finishes; names and hyper-parameters are checked before the first.

    Raises:
        UnknownNameError: No such method.
        TrainError: A hyper-parameter that a method does not have, or training that failed.
        StoreError: Features are missing, stale or damaged.
    """
    for name in study.methods:
        find_method(name)
        declare(study.spec, name, study.options)
    asked = feature_request(study.spec, strong=study.strong, weak=study.weak)
    for domain in study.domains:
        found = read_feature_set(
            home,
            dataset=study.spec.name,
            domain=domain,
            strong=study.strong_name,
            weak=study.weak_name,
            request=asked,
        )
        inputs = load_inputs(home, found)
        for name in study.methods:
            for seed in study.seeds:
                request = RunRequest(
                    spec=study.spec,
                    features=found,
                    method=name,
                    seed=seed,
                    options=study.options,
                    device=study.device,
                )
                yield run(request, inputs, results_dir)
