"""Numbers that a paper prints: one TOML file per paper, every digit as it stands there."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from w2s_cache.errors import SpecError, UnknownNameError
from w2s_cache.spec_files import spec_directory
from w2s_cache.validation import not_toml, validate

FOUNDING = "li2024"
"""The paper whose tables are meant where none is named."""

Unit = Literal["percent", "count"]
"""Accuracies in percent, or numbers of images in the rows ``train`` and ``test``."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PublishedRow(_Section):
    """``values`` by column, and the ``average`` where the paper prints one; decimals as printed."""

    values: tuple[Decimal, ...] = Field(min_length=1)
    average: Decimal | None = None


class PublishedTable(_Section):
    """One table of a paper.

    ``label`` is what the paper calls it, ``dataset`` our name of its data set (none where the paper
    does not say) and ``title`` what a reader is told. ``columns`` are our names of domains or
    models, ``labels`` the paper's. The keys of ``rows`` are names of methods (or ``weak``,
    ``ceiling``), those of ``delta`` the methods that are compared with the best of all others.
    """

    label: str
    dataset: str | None = None
    title: str
    unit: Unit = "percent"
    columns: tuple[str, ...] = Field(min_length=1)
    labels: tuple[str, ...]
    rows: dict[str, PublishedRow] = Field(min_length=1)
    delta: dict[str, PublishedRow] = {}

    @property
    def averaged(self) -> bool:
        """Whether any row has an average."""
        return any(row.average is not None for row in self.rows.values())


class Paper(_Section):
    """All tables of a paper, where they come from, and what it ``leaves_open``."""

    name: str
    authors: str
    reference: str
    leaves_open: tuple[str, ...] = ()
    tables: dict[str, PublishedTable] = Field(min_length=1)


def parse_paper(text: str, *, origin: str) -> Paper:
    """Reads the numbers of a paper from TOML text.

    Args:
        text: The TOML document.
        origin: Where it came from, named in errors.

    Raises:
        SpecError: The text is not TOML, a key is unknown, missing or of the wrong type, or a row
            has not one value per column.
    """
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise not_toml(origin, error) from error
    expected = "the keys and types of the shipped files in cache_specs/published"
    paper = validate(Paper, data, origin=origin, expected=expected)
    problems = [problem for name in paper.tables for problem in _problems(paper, name)]
    if problems:
        raise SpecError(
            f"{origin} is not whole",
            expected="one value per column, and every row that another one needs",
            found="; ".join(problems),
            fix="Compare the rows with the paper.",
        )
    return paper


def load_paper(name: str) -> Paper:
    """Loads the shipped numbers of a paper.

    Raises:
        UnknownNameError: No paper of this name is shipped.
        SpecError: The file is not valid.
    """
    shipped = {path.stem: path for path in (spec_directory() / "published").glob("*.toml")}
    if name not in shipped:
        raise UnknownNameError("paper", name, shipped)
    return parse_paper(shipped[name].read_text(encoding="utf-8"), origin=str(shipped[name]))


def find_published(name: str, unit: Unit = "percent") -> tuple[Paper, PublishedTable]:
    """Looks up ``TABLE`` of the founding paper, or ``PAPER/TABLE``.

    Raises:
        UnknownNameError: There is no such paper, or it has no such table.
        SpecError: The table has another unit than is wanted.
    """
    of, _, key = name.rpartition("/")
    paper = load_paper(of or FOUNDING)
    if key not in paper.tables:
        raise UnknownNameError(f"published table of {paper.authors}", key, paper.tables)
    table = paper.tables[key]
    if table.unit != unit:
        raise SpecError(
            f"{paper.authors}, {table.label} does not fit the layout",
            expected=f"a table of unit {unit!r}",
            found=repr(table.unit),
            fix="Correct 'published' or 'content' in the layout.",
        )
    return paper, table


def _problems(paper: Paper, name: str) -> Iterator[str]:
    table = paper.tables[name]
    lengths = {"labels": len(table.labels)}
    for kind, rows in (("rows", table.rows), ("delta", table.delta)):
        lengths |= {f"{kind}.{of}": len(row.values) for of, row in rows.items()}
    for where, length in lengths.items():
        if length != len(table.columns):
            yield f"tables.{name}.{where} has {length}, columns has {len(table.columns)}"
    wanted = [*table.delta, *(("train", "test") if table.unit == "count" else ())]
    for of in wanted:
        if of not in table.rows:
            yield f"tables.{name} lacks the row {of}"
