"""The runs that a figure is made of, the options that choose them, and where the figure goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from w2s_cache.sections import Overrides, strong_section_of, weak_section_of
from w2s_cache.spec import EvalSplit, Select, Spec
from w2s_cache_cli.models import names_options, override_options
from w2s_cache_cli.options import (
    cache_dir_option,
    quiet_option,
    read_spec,
    results_dir_option,
    run_seeds_option,
    spec_option,
)
from w2s_cache_cli.outdated_runs import outdated_note
from w2s_cache_cli.records import left_out_line, record_filters, records_of
from w2s_cache_cli.settings import settings_options, with_protocol
from w2s_cache_cli.terminal import echo

if TYPE_CHECKING:
    from w2s_cache.results import RunRecord

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    spec_option,
    run_seeds_option,
    names_options,
    override_options,
    settings_options,
    results_dir_option,
    cache_dir_option,
    click.option(
        "--output-dir",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("figures"),
        show_default=True,
        help="Where the PNG and SVG files go.",
    ),
    quiet_option,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Which runs a figure is made of."""

    spec: Spec
    seeds: tuple[int, ...] | None
    strong: str | None
    weak: str | None
    options: dict[str, Any]
    overrides: Overrides
    results_dir: Path
    cache_dir: Path
    output_dir: Path
    quiet: bool

    def filters(self, domains: tuple[str, ...]) -> dict[str, object]:
        """Fields of the records to read."""
        return record_filters(self.spec, domains, self.seeds, self.strong, self.weak)

    def records(self, domain: str, methods: tuple[str, ...]) -> list[RunRecord]:
        """Records of the spec's present settings on one domain, of any methods."""
        return records_of(
            self.spec,
            self.results_dir,
            self.filters((domain,)),
            self.options,
            self.overrides,
            cache_dir=self.cache_dir,
            methods=methods,
            quiet=self.quiet,
        )

    def records_of_any_settings(self, domains: tuple[str, ...], method: str) -> list[RunRecord]:
        """Records of one method, of the features that count; what is left out is said."""
        from w2s_cache.results import find_runs
        from w2s_cache.train.current import current
        from w2s_cache.train.held import held_if_readable
        from w2s_cache.train.matching import requested

        found = find_runs(self.results_dir, **self.filters(domains), method=method)
        asked = requested(found, self.spec, self.overrides)
        records = current(asked, held_if_readable(self.cache_dir, asked))
        differing = ["inputs"] if len(records) < len(asked) else []
        differing += ["inputs.request_digest"] if len(asked) < len(found) else []
        if differing and not self.quiet:
            echo(left_out_line(len(found) - len(records), ", ".join(differing)), err=True)
        return records

    def say_outdated(self, records: Sequence[RunRecord], *, varied: str = "") -> None:
        """Says that runs which are drawn are of other features than the cache holds now.

        ``varied`` is the setting in which they differ.
        """
        note = outdated_note(self.spec, self.options, records, self.cache_dir, varied=varied)
        if note and not self.quiet:
            echo(note, err=True)

    def about(self, *parts: str) -> str:
        """The title of a figure: data set, then what is shown, then the models."""
        strong = strong_section_of(self.spec, self.strong)[0]
        models = f"{strong} taught by {weak_section_of(self.spec, self.weak)[0]}"
        return " · ".join(part for part in (self.spec.name, *parts, models) if part)

    def write(self, draw: Callable[[Any], None], *, size: tuple[float, float], stem: str) -> None:
        """Draws, writes, and prints the paths."""
        from w2s_cache.plots import draw_figure, write_figure

        files = draw_figure(draw, size=size)
        for path in write_figure(files, self.output_dir, f"{self.spec.name}-{stem}"):
            echo(path)


def source_options(command: Command) -> Command:
    """Adds the options that all figures share."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def source_of(
    spec_name: str, eval_split: EvalSplit | None, select: Select | None, **rest: Any
) -> Source:
    """What the shared options mean."""
    return Source(spec=with_protocol(read_spec(spec_name), eval_split, select), **rest)
