"""What a table shows: a TOML file with rows, columns, differences and a metric."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from w2s_cache.errors import SpecError, UnknownNameError
from w2s_cache.methods import CEILING_METHODS, method_names
from w2s_cache.spec import Names
from w2s_cache.spec_files import spec_directory
from w2s_cache.validation import not_toml, validate

WEAK = "weak"
ZERO_SHOT = "zero-shot"
CEILING = "ceiling"

Varied = Literal["domain", "strong", "weak"]
"""The field of records that columns are made of."""

Line = Annotated[str, Field(pattern=r"^[^\r\n]*$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class RowLayout(_Section):
    """One row; its key in the file is the method's name.

    ``label`` is printed instead of the name, rows of one ``group`` stand under a common heading,
    and a ``reference`` row (the weak model, the ceiling) takes no part in the comparison.
    """

    label: Line | None = None
    group: Line | None = None
    reference: bool = False


class DeltaLayout(_Section):
    """A row of differences: the method that is its key minus the best of ``against``."""

    against: Names = Field(min_length=1)
    label: Line | None = None


class ColumnLayout(_Section):
    """One column; its key in the file is the domain or model, ``label`` is printed instead."""

    label: Line | None = None


class SignificanceLayout(_Section):
    """The baselines whose best, by average, every method is compared with."""

    against: Names = Field(min_length=1)


class Layout(_Section):
    """A whole table file.

    ``rows`` and ``delta`` are printed in the order of the file. The row ``ceiling`` stands for the
    best of :data:`w2s_cache.methods.CEILING_METHODS` in each column.

    ``columns`` names what differs from column to column, everything else is the same in the whole
    table; ``column`` fixes which columns there are and their order, otherwise they are those that
    records have; ``average`` adds one more. ``domain``, ``strong`` and ``weak`` say which records
    are meant where the reader does not.

    ``pgr`` adds a block with the performance gap recovered by each row that is no reference,
    ``significance`` a list of each method's lead over the best baseline with its interval,
    ``agreement`` one with the agreement with the weak model, ``published`` one with the numbers of
    a paper (``TABLE`` or ``PAPER/TABLE``). ``content = "sizes"`` makes a table of numbers of images
    instead, which has no rows of methods.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: Line
    content: Literal["scores", "sizes"] = "scores"
    metric: str = "accuracy"
    columns: Varied = "domain"
    column: dict[str, ColumnLayout] = {}
    average: bool = True
    domain: Line | None = None
    strong: Line | None = None
    weak: Line | None = None
    rows: dict[str, RowLayout] = {}
    delta: dict[str, DeltaLayout] = {}
    pgr: bool = False
    significance: SignificanceLayout | None = None
    agreement: bool = False
    published: Line | None = None
    footer: Annotated[tuple[Line, ...], Field(strict=False)] = ()

    def label(self, method: str) -> str:
        """What is printed for a method."""
        return self.rows[method].label or method

    def delta_label(self, of: str) -> str:
        """What is printed for the row of differences of a method."""
        delta = self.delta.get(of)
        return (delta.label if delta else None) or f"Δ {self.label(of)}"

    def column_label(self, name: str) -> str:
        """What is printed for a column."""
        return (self.column.get(name) or ColumnLayout()).label or name

    def narrowed(self, columns: Sequence[str]) -> Layout:
        """The layout with these columns only, if it fixes any; none asked for means all."""
        if not columns or not self.column:
            return self
        kept = {name: self.column.get(name, ColumnLayout()) for name in columns}
        return self.model_copy(update={"column": kept})

    def methods(self) -> tuple[str, ...]:
        """Names of the methods whose records the table reads."""
        plain = tuple(name for name in self.rows if name != CEILING)
        return plain + (CEILING_METHODS if CEILING in self.rows else ())


def parse_layout(text: str, *, origin: str) -> Layout:
    """Reads a table file from TOML text.

    Args:
        text: The TOML document.
        origin: Where it came from, named in errors.

    Raises:
        SpecError: The text is not TOML, a key is unknown (the nearest known one is offered),
            missing or of the wrong type, a row is of no method, or it is compared with one that is
            not there.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise not_toml(origin, error) from error
    expected = "the keys and types of a layout, as docs/tables.md lists them"
    layout = validate(Layout, data, origin=origin, expected=expected)
    _check_names(layout, origin)
    return layout


def load_layout(name_or_path: str) -> Layout:
    """Loads a shipped table by name, or any table by the path of its ``.toml`` file.

    Raises:
        UnknownNameError: No shipped table has this name.
        SpecError: The file is missing or not a valid table.
    """
    shipped = {path.stem: path for path in (spec_directory() / "tables").glob("*.toml")}
    if not name_or_path.endswith(".toml") and name_or_path not in shipped:
        raise UnknownNameError("table", name_or_path, shipped)
    path = shipped.get(name_or_path, Path(name_or_path))
    if not path.is_file():
        raise SpecError(
            f"no table file at {path}",
            expected="a TOML file",
            found="nothing",
            fix="Check the path, or name a shipped table.",
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise not_toml(str(path), error) from error
    return parse_layout(text, origin=str(path))


def _check_names(layout: Layout, origin: str) -> None:
    """A table of scores has rows, one of sizes has none, and every row that is compared exists."""
    if (layout.content == "scores") != bool(layout.rows):
        raise SpecError(
            f"{origin} has {'rows' if layout.rows else 'no rows'}",
            expected="'rows', one per method, in a table of scores and none in one of sizes",
            found=f"{len(layout.rows)} and content {layout.content!r}",
            fix="Add [rows.METHOD] sections, or correct 'content'.",
        )
    _refuse_unknown_methods(layout, origin)
    labels = [layout.column_label(name) for name in layout.column]
    if len(set(labels)) < len(labels):
        raise SpecError(
            f"{origin} has columns that look alike",
            expected="a label of its own for every column",
            found=", ".join(labels),
            fix="Change the labels in the [column.NAME] sections.",
        )
    if getattr(layout, layout.columns) is not None:
        raise SpecError(
            f"{origin} fixes what its columns vary",
            expected=f"no key {layout.columns!r} beside columns = {layout.columns!r}",
            found=repr(getattr(layout, layout.columns)),
            fix=f"Name the columns in [column.NAME] sections instead of {layout.columns!r}.",
        )
    compared = [name for of, delta in layout.delta.items() for name in (of, *delta.against)]
    needed = compared + ([WEAK, CEILING] if layout.pgr else [])
    needed += layout.significance.against if layout.significance else ()
    missing = sorted(set(needed) - set(layout.rows))
    if missing:
        near = UnknownNameError("row", missing[0], layout.rows).fix
        raise SpecError(
            f"{origin} compares rows that are not there",
            expected=f"names among {', '.join(layout.rows)}",
            found=", ".join(missing),
            fix=f"{near} Or add the row.",
        )


def _refuse_unknown_methods(layout: Layout, origin: str) -> None:
    """A misspelt method would be a row of dashes, as one that nobody has run yet."""
    known = {*method_names(), CEILING}
    unknown = [name for name in layout.rows if name not in known]
    if unknown:
        near = UnknownNameError("method", unknown[0], known).fix
        raise SpecError(
            f"{origin} has rows of unknown methods",
            expected="[rows.NAME] with 'ceiling' or a name that `w2s-cache methods` lists",
            found=", ".join(unknown),
            fix=near,
        )
