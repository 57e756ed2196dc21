"""Finished runs, found again by their records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from w2s_cache.errors import RecordError, UnknownNameError
from w2s_cache.results.file_digest import verify_file
from w2s_cache.results.record import RunRecord, run_id
from w2s_cache.results.record_json import record_from_json
from w2s_cache.results.run_directory import LEVELS, RECORD_FILE


def find_runs(results_dir: Path, **filters: Any) -> list[RunRecord]:
    """Reads the records of all finished runs; no other file is opened.

    Args:
        results_dir: Root of all runs; one that does not exist holds none.
        **filters: Record fields with the value they must have, or a list, tuple or set of values
            of which they must have one: ``find_runs(d, dataset="pacs", seed=[0, 1])``.

    Returns:
        The records, sorted by dataset, domain, method, seed and identity.

    Raises:
        RecordError: A record is missing, broken, or lies in another run's directory; the message
            names the file.
        UnknownNameError: A filter names no record field.
    """
    fields = RunRecord.__dataclass_fields__
    wanted = {name: _choices(value) for name, value in filters.items()}
    for name in wanted:
        if name not in fields:
            raise UnknownNameError("record field", name, fields)
    levels = [wanted.get(level) for level in LEVELS]
    records = [read_record(directory) for directory in _directories(results_dir, levels)]
    kept = [r for r in records if all(getattr(r, name) in wanted[name] for name in wanted)]
    return sorted(kept, key=lambda r: (r.dataset, r.domain, r.method, r.seed, r.run_id))


def finished_run(directory: Path) -> RunRecord | str | None:
    """The record of a finished run; why it has to be run again; or None where there is none.

    A directory appears only complete, but what lies in it can be damaged or taken away later, so
    every byte of every file is compared with what the record says.
    """
    if not (directory / RECORD_FILE).is_file():
        return None
    try:
        record = read_record(directory)
        for name, recorded in record.files.items():
            verify_file(directory / name, recorded)
    except RecordError as error:
        return str(error)
    return record


def read_record(directory: Path) -> RunRecord:
    """Reads the record of one run's directory.

    Raises:
        RecordError: There is none, it is broken or was changed after it was written, or it is the
            record of another directory or run.
    """
    file = directory / RECORD_FILE
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(
            f"{file} cannot be read",
            expected="the JSON text of a run record",
            found=str(error),
            fix="Remove its directory and run that method again.",
        ) from error
    record = record_from_json(text, origin=str(file))
    place = directory.absolute().parts[-len(LEVELS) :]
    if place != tuple(getattr(record, level) for level in LEVELS):
        raise RecordError(
            f"{file} lies in another run's directory",
            expected="/".join(getattr(record, level) for level in LEVELS),
            found="/".join(place),
            fix="Move the directory back where it was written.",
        )
    identity = run_id(record.outcome())
    if record.run_id != identity:
        raise RecordError(
            f"{file} is not the record of the run it names",
            expected=f"run_id {identity}, which its fields give",
            found=record.run_id,
            fix="Restore it, or run that method again after removing its directory.",
        )
    return record


def _choices(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple | set | frozenset) else [value]


def _directories(root: Path, levels: list[list[Any] | None]) -> Iterator[Path]:
    """Run directories below ``root`` in byte order; hidden ones are temporaries."""
    if not levels:
        yield root
        return
    if not root.is_dir():
        return
    for path in sorted(root.iterdir()):
        if path.is_dir() and not path.name.startswith(".") and _wanted(path.name, levels[0]):
            yield from _directories(path, levels[1:])


def _wanted(name: str, choices: list[Any] | None) -> bool:
    return choices is None or name in choices
