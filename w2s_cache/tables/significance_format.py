"""Prints comparisons as text, Markdown or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

from w2s_cache.counted import counted
from w2s_cache.errors import UnknownNameError
from w2s_cache.metrics import GapEstimate
from w2s_cache.tables.escapes import escape_csv
from w2s_cache.tables.lines import NOT_APPLICABLE
from w2s_cache.tables.listing import Listing, markdown_listing, text_listing
from w2s_cache.tables.rounding import half_up
from w2s_cache.tables.significance import Comparison, Significance
from w2s_cache.tables.skipped import skipped_sentences
from w2s_cache.tables.text_format import text_sentences

SIGNIFICANCE_FORMATS = ("text", "md", "csv")
COLUMNS = (
    *("quantity", "method", "against", "column", "seeds", "rows", "images", "value", "low", "high"),
    *("p", "only_method", "only_against"),
)


def render_significance(result: Significance, format: str) -> str:  # noqa: A002
    """Prints every comparison.

    Args:
        result: What to print.
        format: One of :data:`SIGNIFICANCE_FORMATS`.

    Returns:
        The document, ending in a line break.

    Raises:
        UnknownNameError: There is no such format.
    """
    if format == "csv":
        return _csv(result)
    if format not in SIGNIFICANCE_FORMATS:
        raise UnknownNameError("format of a comparison", format, SIGNIFICANCE_FORMATS)
    listing = text_listing if format == "text" else markdown_listing
    blocks = [listing(block) for block in _listings(result)]
    return "\n\n".join([*blocks, _below(remarks(result), format)]) + "\n"


def _below(sentences: Iterable[str], form: str) -> str:
    return text_sentences(sentences) if form == "text" else "\n".join(f"- {s}" for s in sentences)


def summary(result: Significance, labels: Mapping[str, str]) -> Listing:
    """One line per pair, its last column only: what a table says below its numbers.

    Args:
        result: The pairs, such as each method and the best baseline.
        labels: What is printed for a method.
    """
    last = {(c.method, c.against): c for c in result.comparisons}.values()
    gaps = [result.gaps.get((c.method, c.column)) for c in last]
    return Listing(
        title="Difference to the best baseline (accuracy in points, 95 % interval over images)",
        header=("", "best baseline", "difference", "95 % interval", "p", "PGR", "95 % interval"),
        lines=tuple(
            (
                labels.get(c.method, c.method),
                labels.get(c.against, c.against),
                *_difference(c),
                *_gap(gap),
            )
            for c, gap in zip(last, gaps, strict=True)
        ),
        words=2,
    )


def remarks(result: Significance) -> Iterator[str]:
    """The sentences that say what the numbers are."""
    seeds = ", ".join(str(seed) for seed in result.seeds)
    many = len(result.seeds) != 1
    over = f"{len(result.seeds)} seeds ({seeds})" if many else f"one seed ({seeds})"
    for domain, rows in result.rows.items():
        images = counted(result.images[domain], "image")
        yield f"{domain}: {counted(rows, 'row')} of {images} over {over}."
    yield from skipped_sentences(result.skipped)
    yield resampling(result)
    yield (
        "Right alone: rows over all seeds that only the method, or only the baseline, answers "
        "rightly; p (rows) asks by the same resamples whether one count is larger by luck."
    )
    if result.no_gap:
        yield f"No performance gap recovered: {result.no_gap}."
    for (method, column), gap in result.gaps.items():
        if gap.gapless:
            yield (
                f"PGR of {method} on {column}: {counted(gap.gapless, 'resample')} without a gap "
                "between weak model and ceiling left out."
            )
    if result.note:
        yield result.note


def resampling(result: Significance) -> str:
    """What intervals and p are made of."""
    return (
        f"Intervals and p: {result.resamples:,} resamples of each domain's images; an image takes "
        "its rows of all seeds and methods along. Seeds and domains are fixed: the luck of "
        "training is not in them. p is not corrected for the number of comparisons."
    )


def _listings(result: Significance) -> Iterator[Listing]:
    yield Listing(
        title=f"{_methods(result)} minus each baseline (accuracy in points)",
        header=(
            *("against", "on", "method", "baseline", "difference", "95 % interval", "p"),
            *("right alone", "p (rows)"),
        ),
        lines=tuple(
            (
                c.against,
                c.column,
                *(half_up(value, 1, percent=True) for value in c.accuracies),
                *_difference(c),
                f"{c.only_method} : {c.only_against}",
                _p(c.rows_p),
            )
            for c in result.comparisons
        ),
        words=2,
    )
    yield Listing(
        title="McNemar's exact test of each run by itself (p)",
        header=("against", "on", *(f"seed {seed}" for seed in result.seeds)),
        lines=tuple(
            (c.against, c.column, *(_p(run.p) for run in c.runs.values()))
            for c in result.comparisons
            if c.runs
        ),
        words=2,
    )
    if result.gaps:
        yield Listing(
            title="Performance gap recovered (PGR)",
            header=("", "on", "PGR", "95 % interval"),
            lines=tuple((m, column, *_gap(gap)) for (m, column), gap in result.gaps.items()),
            words=2,
        )


def _methods(result: Significance) -> str:
    return ", ".join(dict.fromkeys(c.method for c in result.comparisons))


def _difference(comparison: Comparison) -> tuple[str, str, str]:
    value, low, high = (
        _signed(half_up(number, 1, percent=True))
        for number in (
            comparison.difference.value,
            comparison.difference.low,
            comparison.difference.high,
        )
    )
    return value, f"[{low}, {high}]", _p(comparison.difference.p)


def _gap(gap: GapEstimate | None) -> tuple[str, str]:
    if gap is None or gap.value is None:
        return NOT_APPLICABLE, ""
    if gap.low is None or gap.high is None:
        return half_up(gap.value, 2), ""
    return half_up(gap.value, 2), f"[{half_up(gap.low, 2)}, {half_up(gap.high, 2)}]"


def _signed(number: str) -> str:
    return number if number.startswith("-") else f"+{number}"


def _p(p: float) -> str:
    return "<0.001" if p < 0.001 else half_up(p, 3)


def _csv(result: Significance) -> str:
    """Every number with every digit, one line each; what does not exist is empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    seeds = " ".join(str(seed) for seed in result.seeds)
    for c in result.comparisons:
        pair = tuple(escape_csv(name) for name in (c.method, c.against, c.column))
        counts = _counts(result, c.column)
        d, alone = c.difference, (c.only_method, c.only_against)
        writer.writerow(
            ["difference", *pair, seeds, *counts, *map(repr, (d.value, d.low, d.high, d.p)), *alone]
        )
        writer.writerow(
            ["rows", *pair, seeds, *counts, alone[0] - alone[1], "", "", repr(c.rows_p), *alone]
        )
        for seed, run in c.runs.items():
            alone = (run.first_only, run.second_only)
            writer.writerow(
                ["mcnemar", *pair, seed, "", "", alone[0] - alone[1], "", "", repr(run.p), *alone]
            )
    for (method, column), gap in result.gaps.items():
        place = (escape_csv(method), "", escape_csv(column))
        numbers = ["" if x is None else repr(x) for x in (gap.value, gap.low, gap.high)]
        writer.writerow(
            [
                "pgr",
                *place,
                seeds,
                *_counts(result, column),
                *numbers,
                "",
                "",
                "",
            ]
        )
    writer.writerows(_skipped(result))
    return stream.getvalue()


def _skipped(result: Significance) -> Iterator[list[object]]:
    """Lines that count the images a domain lacks."""
    for lacks in result.skipped:
        place, empty = ("", "", escape_csv(lacks.column)), [""] * (len(COLUMNS) - 8)
        for half, count in (("test", lacks.test), ("train", lacks.train)):
            yield [f"skipped {half}", *place, "", "", "", count, *empty]


def _counts(result: Significance, column: str) -> tuple[int, int]:
    """Rows and images of a domain, or of all domains together."""
    domains = [column] if column in result.rows else list(result.rows)
    return sum(result.rows[d] for d in domains), sum(result.images[d] for d in domains)
