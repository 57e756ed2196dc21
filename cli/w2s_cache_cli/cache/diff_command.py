"""`w2s-cache cache diff`: in what two stores or feature sets differ."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from w2s_cache.counted import counted
from w2s_cache.sections import Overrides
from w2s_cache_cli.capped import capped, max_findings_option
from w2s_cache_cli.models import override_options
from w2s_cache_cli.options import cache_dir_option, quiet_option, read_spec
from w2s_cache_cli.progress import Bars
from w2s_cache_cli.terminal import echo

if TYPE_CHECKING:
    from w2s_cache.cache.operand import SetOperand, StoreOperand
    from w2s_cache.store.fingerprint import Difference


@click.command("diff")
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="[B]", required=False, type=click.Path(path_type=Path))
@click.option("--spec", "spec_name", help="Compare A with what this spec asks for now.")
@click.option(
    "--numbers", is_flag=True, help="Compare numbers of the same rows although settings differ."
)
@override_options
@max_findings_option
@cache_dir_option
@quiet_option
def command(
    first: Path,
    second: Path | None,
    spec_name: str | None,
    numbers: bool,
    overrides: Overrides,
    max_findings: int,
    cache_dir: Path,
    quiet: bool,
) -> None:
    """Name each setting in which A and B differ, with both values; else compare their numbers.

    A and B are folders of stores (see `w2s-cache ls`) or files of feature sets
    (v1/<data set>/<domain>/sets/*.json), here or below the cache; they may lie in different caches.
    A store of the cache may also be named by its digest, or the first four digits or more of it.
    Where all settings agree, it is said whether the bytes are equal and, if not, how many rows
    differ and by how much. What is said of the models (--precision and so on) belongs to --spec.
    Exit code 0: no difference; 1: differences.

    \b
    Examples:
      w2s-cache cache diff v1/pocket/real/image/A v1/pocket/real/image/B
      w2s-cache cache diff 6c41 b2d9
      w2s-cache cache diff v1/pocket/real/sets/pocket-clip__tiny.json \\
          --spec pocket
    """
    from w2s_cache.cache.operand import SetOperand, StoreOperand, operand
    from w2s_cache.errors import StoreError

    if (second is None) == (spec_name is None):
        raise click.UsageError("give two paths, or one path and --spec")
    one = operand(first, cache_dir)
    if spec_name is not None:
        sys.exit(_with_spec(one, spec_name, overrides, max_findings))
    assert second is not None  # noqa: S101 - checked above
    other = operand(second, cache_dir)
    bars = Bars(quiet=quiet)
    if isinstance(one, StoreOperand) and isinstance(other, StoreOperand):
        sys.exit(_stores(one, other, numbers, max_findings, bars))
    if isinstance(one, SetOperand) and isinstance(other, SetOperand):
        sys.exit(_sets(one, other, numbers, max_findings, bars))
    raise StoreError(
        f"{first} and {second} cannot be compared",
        expected="two stores, or two feature sets",
        found="one of each",
        fix="Name the feature set's store: it is in its JSON.",
    )


def _with_spec(
    one: StoreOperand | SetOperand, spec_name: str, overrides: Overrides, limit: int
) -> int:
    from w2s_cache.cache.operand import StoreOperand
    from w2s_cache.cache.wanted import request_differences, sets_of

    spec, found = read_spec(spec_name), 0
    for member in sets_of(one) if isinstance(one, StoreOperand) else [one]:
        differences = request_differences(member, spec, overrides)
        name = member.file.relative_to(member.file.parents[4]).as_posix()
        found += len(differences)
        _print(differences, "the cache", f"spec {spec.name}", limit)
        echo(f"{name}: {_verdict(len(differences), 'what the spec asks for now')}")
    return 1 if found else 0


def _sets(one: SetOperand, other: SetOperand, numbers: bool, limit: int, bars: Bars) -> int:
    from w2s_cache.cache.difference import set_differences
    from w2s_cache.cache.operand import StoreOperand, operand

    differences = set_differences(one, other)
    _print(differences, "A", "B", limit)
    echo(f"feature sets: {_verdict(len(differences), 'the same')}")
    code = 1 if differences else 0
    for kind in ("image", "logits", "text"):
        refs = getattr(one.found, kind), getattr(other.found, kind)
        if None in refs:
            continue
        first, second = (
            operand(side.home / ref.path, side.home)
            for side, ref in zip((one, other), refs, strict=True)
        )
        assert isinstance(first, StoreOperand)  # noqa: S101 - a feature set refers to stores
        assert isinstance(second, StoreOperand)  # noqa: S101
        echo(f"{kind}:")
        code = max(code, _stores(first, second, numbers, limit, bars))
    return code


def _stores(one: StoreOperand, other: StoreOperand, numbers: bool, limit: int, bars: Bars) -> int:
    from w2s_cache.cache.difference import comparable, same_bytes, setting_differences

    differences = setting_differences(one, other)
    _print(differences, "A", "B", limit)
    echo(f"settings: {_verdict(len(differences), 'the same')}")
    if differences and not (numbers and comparable(one.manifest, other.manifest)):
        if numbers:
            echo("numbers: of other shapes, not compared")
        return 1
    if not differences and same_bytes(one, other):
        echo("bytes: the same hashes, so the same numbers")
        return 0
    apart = False
    for line, differs in _numbers(one, other, limit, bars):
        echo(line)
        apart = apart or differs
    return 1 if differences or apart else 0


def _numbers(
    one: StoreOperand, other: StoreOperand, limit: int, bars: Bars
) -> Iterator[tuple[str, bool]]:
    from w2s_cache.cache.difference import array_differences, unkeyed_differences

    bars.begin("comparing", sum(shard.bytes for shard in one.manifest.shards), unit="B")
    found = list(array_differences(one, other, advance=bars.advance))
    bars.end()
    yield "bytes: other hashes", False
    for item in found:
        verb = "differs" if item.differing == 1 else "differ"
        how = f"{item.differing:,} of {counted(item.rows, 'row')} {verb}"
        worst = f", the largest difference is {item.largest:.4g} (row {item.row})"
        yield f"{item.array}: {how}{worst if item.differing else ''}", bool(item.differing)
    for difference in unkeyed_differences(one, other)[:limit]:
        yield f"not in the key: {_line(difference, 'A', 'B')}", False


def _print(differences: Sequence[Difference], one: str, other: str, limit: int) -> None:
    for line in capped([_line(difference, one, other) for difference in differences], limit):
        echo(line)


def _line(difference: Difference, one: str, other: str) -> str:
    from w2s_cache.store.fingerprint import value_shown

    stored, wanted = value_shown(difference.stored), value_shown(difference.wanted)
    return f"{difference.field}: {one} has {stored}, {other} has {wanted}"


def _verdict(count: int, same: str) -> str:
    if not count:
        return same
    return counted(count, "field differs", "fields differ")
