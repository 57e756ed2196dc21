"""What the neighbour commands print: one block per domain, or one CSV or JSON of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2s_cache.counted import counted
from w2s_cache.errors import UnknownNameError
from w2s_cache_cli.neighbours_source import Searched, Source, Split
from w2s_cache_cli.records import record_filters, records_of
from w2s_cache_cli.rows_format import Line, csv_lines, json_text, limited, text_block
from w2s_cache_cli.terminal import echo

if TYPE_CHECKING:
    from torch import Tensor

    from w2s_cache.neighbours.duplicates import Duplicate, Leak
    from w2s_cache.results import RunRecord
    from w2s_cache.train.inputs import DomainInputs

_MOST_PAIRS = 1_000_000
_PAIR = ("domain", "kind", "path", "other_path", "cosine", "identical")
_CLASS = ("domain", "class", "rival", "images", "agreement", "kept")
_IMAGE = ("domain", "weak_label", "voted_label", "path", "agreement", "share")
_TRUE_CLASS, _TRUE_IMAGE = ("weak_accuracy", "vote_accuracy"), ("label",)
_NEAREST = ("domain", "class", "path", "rank", "cosine")


def report_duplicates(source: Source, *, threshold: float, across: bool) -> None:
    """Prints pairs of cosine ≥ threshold, and what they come to."""
    from w2s_cache.neighbours.duplicates import duplicates, leak
    from w2s_cache.neighbours.search import pairs_above

    found: list[dict[str, Any]] = []
    for at in source.searched(source.cached_domains(), "all", count=None):
        advance = source.bars.advance
        pairs = pairs_above(at.index, at.base, threshold, most=_MOST_PAIRS, advance=advance)
        source.bars.end()
        is_train = at.inputs.index.is_train[at.rows]
        listed = duplicates(pairs, is_train, [at.inputs.index.sha256[row] for row in at.rows])
        summary = leak(listed, is_train)
        lines = [_pair_line(at, pair) for pair in listed if not across or pair.kind == "train-test"]
        kept = limited(lines, source.limit, source.format_)
        found.append(
            {"domain": at.domain, "threshold": threshold, **asdict(summary), "lines": kept}
        )
        if source.format_ == "text":
            title = f"{at.domain}: pairs of cosine {threshold:g} or more"
            _print_text(title, kept, len(lines), words=3)
            echo(_leak_text(at.domain, summary))
    _print_machine(source.format_, found, _PAIR)


def report_labels(
    source: Source, *, count: int, tau: float, by: str, split: Split, ground_truth: bool
) -> None:
    """Prints the quality of weak labels by class or by image."""
    from w2s_cache.neighbours.search import nearest
    from w2s_cache.neighbours.weak_labels import image_quality, weak_labels
    from w2s_cache.tables.rounding import half_up

    found: list[dict[str, Any]] = []
    lines_of = _class_lines if by == "class" else _image_lines
    for at in source.searched(source.cached_domains(), split, count=count):
        own, advance = at.own(), source.bars.advance
        near = nearest(at.index, at.base, at.base, count, skip=own, advance=advance)
        source.bars.end()
        weak = weak_labels(at.inputs.weak_logits[at.rows])
        classes = at.inputs.index.classes
        quality = image_quality(near, weak, classes=len(classes), tau=tau)
        truth = at.inputs.index.labels[at.rows] if ground_truth else None
        lines = list(lines_of(at, quality, truth))
        limit = len(classes) if by == "class" and source.limit is None else source.limit
        kept = limited(lines, limit, source.format_)
        share = float(quality.agreement.mean())
        found.append({"domain": at.domain, "agreement": share, "lines": kept})
        if source.format_ == "text":
            title = f"{at.domain}: weak labels of the {split} images"
            _print_text(title, kept, len(lines), words=2 if by == "class" else 3)
            shown = half_up(share, 1, percent=True)
            echo(f"{at.domain}: {shown}% of neighbours share the weak label\n")
    columns = (_CLASS, _TRUE_CLASS) if by == "class" else (_IMAGE, _TRUE_IMAGE)
    _print_machine(source.format_, found, columns[0] + (columns[1] if ground_truth else ()))


def report_prototypes(
    source: Source,
    *,
    results_dir: Path,
    method: str,
    seed: int,
    classes: tuple[str, ...],
    count: int,
    split: Split,
) -> None:
    """Prints the images nearest to each class vector of a run; runs are looked for first."""
    from w2s_cache.methods import find_method
    from w2s_cache.neighbours.prototypes import class_vectors, nearest_images
    from w2s_cache.results import read_head

    find_method(method)
    domains = source.cached_domains()
    runs = {domain: _run(source, results_dir, domain, method, seed) for domain in domains}

    def chosen(inputs: DomainInputs) -> tuple[list[int], Tensor]:
        run = runs[inputs.index.domain]
        wanted = _labels_of(classes, inputs.index.classes)
        head, width = read_head(results_dir, run), inputs.features.shape[1]
        return wanted, class_vectors(head, method=method, width=width)[wanted]

    found: list[dict[str, Any]] = []
    for at in source.searched(domains, split, count=count, accept=chosen):
        source.bars.end()
        wanted, vectors = chosen(at.inputs)
        near = nearest_images(at.index, at.base, vectors, count)
        lines = list(_nearest_lines(at, wanted, near.rows.tolist(), near.cosines.tolist()))
        kept = lines if source.limit is None else lines[: source.limit]
        found.append({"domain": at.domain, "method": method, "seed": seed, "lines": kept})
        if source.format_ == "text":
            title = (
                f"{at.domain}: {split} images nearest to each prototype of {method}, seed {seed}"
            )
            _print_text(title, kept, len(lines), words=2)
            echo("")
    _print_machine(source.format_, found, _NEAREST)


def _run(source: Source, results_dir: Path, domain: str, method: str, seed: int) -> RunRecord:
    """The run of the spec's present settings on one domain, made from the features in the cache."""
    from w2s_cache.train.current import refuse_outdated
    from w2s_cache.train.held import held_inputs

    filters = record_filters(source.spec, (domain,), (seed,), source.strong, source.weak)
    filters["method"] = method
    runs = records_of(
        source.spec,
        results_dir,
        filters,
        {},
        source.overrides,
        cache_dir=source.cache_dir,
        methods=(method,),
        quiet=source.quiet,
    )
    refuse_outdated(runs, held_inputs(source.cache_dir, runs))
    return runs[-1]


def _pair_line(at: Searched, pair: Duplicate) -> Line:
    first, second = (at.path(row) for row in pair.rows)
    values = (at.domain, pair.kind, first, second, pair.cosine, pair.identical)
    return dict(zip(_PAIR, values, strict=True))


def _leak_text(domain: str, found: Leak) -> str:
    pairs = ", ".join(f"{count:,} {kind}" for kind, count in found.pairs.items())
    has = "has" if found.leaked == 1 else "have"
    same = sum(found.identical.values())
    return (
        f"{domain}: {pairs} pairs, {same:,} of them of identical files; groups joined by them: "
        f"{found.groups:,}, images in them: {found.images:,}\n"
        f"{domain}: {found.leaked:,} of {counted(found.test, 'test image')} {has} a near-duplicate "
        "in the training half\n"
    )


def _class_lines(at: Searched, quality: Any, truth: Any) -> Iterator[Line]:
    from w2s_cache.neighbours.weak_labels import class_quality

    names = at.inputs.index.classes
    for item in class_quality(quality, classes=len(names), truth=truth):
        rival = None if item.rival is None else names[item.rival]
        values = (at.domain, names[item.label], rival, item.images, item.agreement, item.kept)
        line = dict(zip(_CLASS, values, strict=True))
        known = {"weak_accuracy": item.weak_accuracy, "vote_accuracy": item.vote_accuracy}
        yield line if truth is None else line | known


def _image_lines(at: Searched, quality: Any, truth: Any) -> Iterator[Line]:
    from w2s_cache.neighbours.weak_labels import most_doubtful

    names = at.inputs.index.classes
    for place in most_doubtful(quality).tolist():
        values = (
            *(at.domain, names[quality.weak[place]], names[quality.voted[place]], at.path(place)),
            *(float(quality.agreement[place]), float(quality.share[place])),
        )
        line = dict(zip(_IMAGE, values, strict=True))
        yield line if truth is None else line | {"label": names[truth[place]]}


def _nearest_lines(
    at: Searched, wanted: Sequence[int], rows: list[list[int]], cosines: list[list[float]]
) -> Iterator[Line]:
    for label, places, values in zip(wanted, rows, cosines, strict=True):
        name = at.inputs.index.classes[label]
        for rank, (place, cosine) in enumerate(zip(places, values, strict=True), 1):
            yield dict(zip(_NEAREST, (at.domain, name, at.path(place), rank, cosine), strict=True))


def _labels_of(asked: Sequence[str], known: Sequence[str]) -> list[int]:
    for name in asked:
        if name not in known:
            raise UnknownNameError("class", name, known)
    return [known.index(name) for name in asked or known]


def _print_text(title: str, lines: Sequence[Line], total: int, *, words: int) -> None:
    shown = [{k: v for k, v in line.items() if k != "domain"} for line in lines]
    if not shown:
        echo(f"{title}: none" if not total else f"{title}: {total:,}, none shown")
        return
    echo(text_block(title, shown, words=words))
    if total > len(shown):
        echo(f"{len(shown):,} of {total:,} shown; --limit shows more")


def _print_machine(format_: str, found: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    if format_ == "json":
        echo(json_text(list(found)), nl=False)
    if format_ == "csv":
        everything = [line for domain in found for line in domain["lines"]]
        echo(csv_lines(everything, columns), nl=False)
