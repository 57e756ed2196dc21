"""The cached features that a neighbour command searches, and the options that choose them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from w2s_cache.counted import counted
from w2s_cache.errors import NeighbourError
from w2s_cache.sections import Overrides
from w2s_cache.spec import Spec
from w2s_cache_cli.models import Models, chosen_models, names_options, override_options
from w2s_cache_cli.options import (
    cache_dir_option,
    device_option,
    domain_option,
    quiet_option,
    read_spec,
    spec_option,
)
from w2s_cache_cli.progress import Bars
from w2s_cache_cli.rows_format import format_option, limit_option
from w2s_cache_cli.training import extracted_domains

if TYPE_CHECKING:
    import numpy as np
    import torch

    from w2s_cache.neighbours.candidates import Candidates
    from w2s_cache.train.inputs import DomainInputs

Command = TypeVar("Command", bound=Callable[..., Any])
Split = Literal["train", "test", "all"]

_OPTIONS = (
    spec_option,
    domain_option,
    names_options,
    override_options,
    click.option(
        "--index",
        "kind",
        type=click.Choice(["auto", "exact", "ivf"]),
        default="auto",
        show_default=True,
        help="ivf is approximate and needs faiss; auto takes it from 250,000 images on.",
    ),
    limit_option,
    format_option,
    cache_dir_option,
    device_option,
    quiet_option,
)
split_option = click.option(
    "--split",
    type=click.Choice(["train", "test", "all"]),
    default="test",
    show_default=True,
    help="Which half of the images.",
)


def source_options(command: Command) -> Command:
    """Adds the options that all neighbour commands share."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, kw_only=True)
class Searched:
    """Images of one domain that can be searched.

    Attributes:
        inputs: The domain's cached tensors.
        rows: (m,) int64, the index row of each image searched.
        base: (m, d) float32 unit features.
        index: Made of them.
    """

    inputs: DomainInputs
    rows: np.ndarray
    base: torch.Tensor
    index: Candidates

    @property
    def domain(self) -> str:
        """The domain's name."""
        return self.inputs.index.domain

    def path(self, place: int) -> str:
        """Path of an image, relative to the data root."""
        return self.inputs.index.paths[int(self.rows[place])]

    def own(self) -> torch.Tensor:
        """(m,) int64, each image's own place, which is no neighbour of it."""
        import torch

        return torch.arange(len(self.rows))


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Which features are searched and how the answer is printed."""

    spec: Spec
    domains: tuple[str, ...]
    strong: str | None
    weak: str | None
    overrides: Overrides
    kind: Literal["auto", "exact", "ivf"]
    limit: int | None
    format_: str
    cache_dir: Path
    device: str
    quiet: bool
    bars: Bars

    @property
    def models(self) -> Models:
        """The pair of models whose features are searched."""
        return chosen_models(
            self.spec, strong=self.strong, weak=self.weak, overrides=self.overrides
        )

    def cached_domains(self) -> tuple[str, ...]:
        """The domains asked for, else all that were extracted; nothing is loaded yet.

        Raises:
            StoreError: Nothing was extracted for this pair of models.
        """
        return extracted_domains(self.spec, self.models, self.domains, self.cache_dir, self.bars)

    def searched(
        self,
        domains: Sequence[str],
        split: Split,
        *,
        count: int | None,
        accept: Callable[[DomainInputs], object] = id,
    ) -> Iterator[Searched]:
        """Loads the domains one by one; says what searches them and, where it may miss, how often.

        Args:
            domains: See :meth:`cached_domains`.
            split: Which images.
            count: How many neighbours are wanted; None for all above a threshold, which the GPU
                indexes of faiss cannot answer.
            accept: Refuses, by an error, a domain that cannot be used, before it is indexed.

        Raises:
            StoreError: Features are absent, or of other settings.
            NeighbourError: A domain has fewer than two images to search.
        """
        from w2s_cache.encoders.device import resolve_device
        from w2s_cache.neighbours.choice import make_index, recall
        from w2s_cache.neighbours.search import unit

        device = resolve_device(self.device)
        if count is None and device != "cpu":
            self.bars.say(f"searched on the CPU, not on {device}: all above a threshold are wanted")
            device = "cpu"
        for domain in domains:
            inputs = self._inputs(self.models, domain)
            accept(inputs)
            rows = _rows(inputs, split)
            base = unit(inputs.features[rows])
            index = make_index(base, kind=self.kind, device=device)
            found = f"{domain}: {counted(len(rows), 'image')}, {index.name}"
            if not index.exact:
                asked = count or 10
                found += f", recall@{asked} {recall(index, base, asked):.3f} on a sample"
            self.bars.say(found)
            self.bars.begin(f"{domain}: comparing", len(rows))
            yield Searched(inputs=inputs, rows=rows, base=base, index=index)
            self.bars.end()

    def _inputs(self, models: Models, domain: str) -> DomainInputs:
        from w2s_cache.request import feature_request
        from w2s_cache.store.feature_set import read_feature_set
        from w2s_cache.train.inputs import load_inputs

        found = read_feature_set(
            self.cache_dir,
            dataset=self.spec.name,
            domain=domain,
            strong=models.strong_name,
            weak=models.weak_name,
            request=feature_request(self.spec, strong=models.strong, weak=models.weak),
        )
        return load_inputs(self.cache_dir, found)


def source_of(spec_name: str, *, quiet: bool, **rest: Any) -> Source:
    """What the shared options mean."""
    return Source(spec=read_spec(spec_name), quiet=quiet, bars=Bars(quiet=quiet), **rest)


def _rows(inputs: DomainInputs, split: Split) -> np.ndarray:
    import numpy as np

    train = inputs.index.is_train
    half = {"train": train, "test": ~train, "all": np.ones_like(train)}[split]
    rows: np.ndarray = np.flatnonzero(half & inputs.valid)
    if len(rows) < 2:
        raise NeighbourError(
            f"no neighbours among the {split} images of {inputs.index.domain}",
            expected="at least two images",
            found=str(len(rows)),
            fix="Choose another --split.",
        )
    return rows
