"""The sentences under a table that say what its numbers are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from w2s_cache.results import RunRecord
from w2s_cache.tables.agreement import agreement_sentences
from w2s_cache.tables.gap import why_no_share
from w2s_cache.tables.grid import Grid
from w2s_cache.tables.layout import CEILING, WEAK, Layout
from w2s_cache.tables.published_block import published_sentences
from w2s_cache.tables.remarks import remarks
from w2s_cache.tables.settings import listed, settings_sentences
from w2s_cache.tables.skipped import skipped_images, skipped_sentences
from w2s_cache.tables.table import Block, Row
from w2s_cache.tables.wording import enumerated, row_label


def footer(
    layout: Layout, grid: Grid, rows: Mapping[str, Row], blocks: Sequence[Block]
) -> tuple[str, ...]:
    """All sentences, in reading order: what is meant, where it comes from, what is missing."""
    done = [record for record in grid.records() if record.status == "done"]
    sentences = [
        *layout.footer,
        _spread(grid),
        *_average(layout, grid),
        _models(grid),
        *_columns(layout, grid),
        *_anchors(grid.records()),
        *_protocol(grid.records()),
        *_selection(layout, done),
        *_evaluated(grid, done),
        *_ceiling(layout, grid),
        *_deltas(layout),
        *_shares(layout, rows, blocks),
        *agreement_sentences(layout),
        *settings_sentences(layout, done),
        *_versions(done),
        *remarks(layout, grid, rows, blocks),
        *published_sentences(layout, dataset=grid.records()[0].dataset),
    ]
    return tuple(" ".join(sentence.split()) for sentence in sentences)


def _spread(grid: Grid) -> str:
    seeds = ", ".join(map(str, grid.seeds))
    if len(grid.seeds) == 1:
        return f"One seed ({seeds}), hence no ±."
    count = len(grid.seeds)
    return f"± is the sample standard deviation (n − 1) over {count} seeds ({seeds})."


def _average(layout: Layout, grid: Grid) -> Iterator[str]:
    if layout.average and len(grid.columns) > 1:
        spread = ", its ± that of the per-seed averages" if len(grid.seeds) > 1 else ""
        yield f"Avg is the mean of the unrounded numbers where every column has one{spread}."


def _models(grid: Grid) -> str:
    """What all columns share; a field that varies is named with its values in their order."""
    first = grid.records()[0]
    fields = {"domain": first.domain, "strong model": first.strong, "weak model": first.weak}
    shared = [
        f"{field} {', '.join(grid.columns) if field.startswith(grid.by) else value}"
        for field, value in fields.items()
        if field != "domain" or grid.by != "domain"
    ]
    return f"Data set {first.dataset}; {'; '.join(shared)}."


def _columns(layout: Layout, grid: Grid) -> Iterator[str]:
    """Where rows or columns are not all that records have, or columns not those of the layout."""
    if grid.left_out:
        yield f"Not shown: runs with {grid.by} {', '.join(grid.left_out)}."
    if grid.unlisted:
        yield (
            f"Not shown: runs of {', '.join(grid.unlisted)}; a layout of your own shows them in "
            f"rows such as [rows.{grid.unlisted[0]}]."
        )
    absent = ", ".join(name for name in layout.column if name not in grid.columns)
    if absent and not set(layout.column) & set(grid.columns):
        yield f"The columns are those that have runs; none of the layout's ({absent}) has one."
    elif absent:
        yield f"The columns are the data set's, not the layout's: there is no {grid.by} {absent}."


def _anchors(records: Sequence[RunRecord]) -> Iterator[str]:
    if any(record.inputs.get("anchors_key") for record in records):
        yield (
            "The strong model has no text tower: where a method asks for class text it was given "
            "anchors, the class means of the other domains' labelled training images."
        )


def _protocol(records: Sequence[RunRecord]) -> Iterator[str]:
    values = {k: v for k, v in records[0].protocol.items() if k not in ("eval_split", "select")}
    yield f"Evaluated on {records[0].protocol.get('eval_split')}; protocol {listed(values)}."


def _selection(layout: Layout, done: Iterable[RunRecord]) -> Iterator[str]:
    by_way: dict[str, list[str]] = {}
    for record in done:
        labels = by_way.setdefault(str(record.protocol.get("select")), [])
        if row_label(layout, record.method) not in labels:
            labels.append(row_label(layout, record.method))
    ways = [f"{way} ({enumerated(labels)})" for way, labels in sorted(by_way.items())]
    if len(by_way) == 1:
        ways = list(by_way)
    if ways:
        warning = "; oracle has seen ground truth" if "oracle" in by_way else ""
        yield f"Selection: {'; '.join(ways)}{warning}."


def _evaluated(grid: Grid, done: Sequence[RunRecord]) -> Iterator[str]:
    rows = {grid.label_of(record): record.counts.get("eval", 0) for record in done}
    if rows:
        yield f"Rows evaluated: {_in_columns(grid, rows)}."
    yield from skipped_sentences(skipped_images(done, grid.label_of))


def _in_columns(grid: Grid, counts: Mapping[str, int]) -> str:
    """``art 20, sketch 21`` in the order of the columns; one number where only models vary."""
    if grid.by != "domain":
        return str(max(counts.values()))
    return ", ".join(f"{label} {counts[label]}" for label in grid.labels if label in counts)


def _ceiling(layout: Layout, grid: Grid) -> Iterator[str]:
    winners: dict[str, list[str]] = {}
    for record in grid.rows.get(CEILING, ()):
        columns = winners.setdefault(record.method, [])
        if record.status == "done" and grid.label_of(record) not in columns:
            columns.append(grid.label_of(record))
    shown = [f"{m} on {enumerated(columns)}" for m, columns in sorted(winners.items()) if columns]
    if shown:
        label = layout.label(CEILING)
        yield f"{label}: trained on ground truth, the best by mean is {'; '.join(shown)}."


def _deltas(layout: Layout) -> Iterator[str]:
    for of, delta in layout.delta.items():
        baselines = enumerated(row_label(layout, name) for name in delta.against)
        yield (
            f"{layout.delta_label(of)}: {row_label(layout, of)} minus the best of "
            f"{baselines} in each column, in points; that of Avg is between unrounded averages."
        )


def _shares(layout: Layout, rows: Mapping[str, Row], blocks: Sequence[Block]) -> Iterator[str]:
    """What PGR is, or why none is printed."""
    if not layout.pgr:
        return
    if any(block.is_bare for block in blocks):
        yield f"No performance gap recovered (PGR): {why_no_share(rows[WEAK], rows[CEILING])}."
    else:
        yield (
            "PGR: (method − weak) / (ceiling − weak), from means over seeds; that of Avg is "
            "between averages; n/a where the ceiling is not above the weak model."
        )


def _versions(done: Iterable[RunRecord]) -> Iterator[str]:
    """Every version and device that occurs; several of one library are all named."""
    versions: dict[str, set[str]] = {}
    devices: set[str] = set()
    for record in done:
        devices.add(str(record.environment.get("device")))
        for library, version in record.environment.get("versions", {}).items():
            versions.setdefault(library, set()).add(str(version))
    shown = [f"{library} {' and '.join(sorted(versions[library]))}" for library in sorted(versions)]
    if shown:
        yield f"Computed with {', '.join(shown)} on {' and '.join(sorted(devices))}."
