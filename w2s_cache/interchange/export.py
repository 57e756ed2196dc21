"""A domain out of the cache, into files that others open."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from w2s_cache.errors import ExportError
from w2s_cache.interchange.about import EXPORT_SCHEMA, about_export, run_facts, unit_length
from w2s_cache.interchange.column import ExportTable
from w2s_cache.interchange.domain_columns import DomainColumns, prediction_name
from w2s_cache.interchange.npz_format import write_npz
from w2s_cache.interchange.options import ExportOptions, Format
from w2s_cache.interchange.parquet_format import write_parquet
from w2s_cache.interchange.run_features import refuse_other_features
from w2s_cache.interchange.safetensors_format import write_safetensors
from w2s_cache.interchange.selection import Selection, select_rows
from w2s_cache.interchange.text_columns import text_table
from w2s_cache.results.publish import publishing
from w2s_cache.store.feature_set import FeatureSet
from w2s_cache.store.fingerprint import file_sha256
from w2s_cache.store.index import Index
from w2s_cache.store.index_agreement import open_member_of, read_index_of
from w2s_cache.store.layout import slug
from w2s_cache.store.once_reader import OnceReader
from w2s_cache.store.publish import write_error
from w2s_cache.store.reader import Store
from w2s_cache.store.remake import naming_import
from w2s_cache.store.shallow_json import parse_json

MANIFEST: Final = "export.json"
_WRITERS: Mapping[Format, Callable[[Path, ExportTable, Callable[[int], None]], None]] = {
    "parquet": write_parquet,
    "npz": write_npz,
    "safetensors": write_safetensors,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What became of one domain: its folder, rows written, paths without data left out."""

    directory: Path
    rows: int
    left_out: tuple[str, ...]


def export_domain(
    home: Path,
    found: FeatureSet,
    options: ExportOptions,
    advance: Callable[[int], None] = lambda _: None,
) -> Exported:
    """Writes ``<output>/<domain>/images.*``, ``text.*`` and ``export.json``, all or nothing.

    Every shard of features and logits is read once, and no more than one of each is in memory.

    Args:
        home: The cache home.
        found: The pair's feature set, of ``read_feature_set``.
        options: What is exported, how, and where to.
        advance: Told of rows just written, which for npz are shares of a column.

    Raises:
        ExportError: Nothing to export, a folder in the way, text of an encoder without a tower, or
            numbers beyond the type's range.
        StaleStoreError: The index changed after the features were made, a store is of other images
            or classes, or a run whose predictions are wanted was made of other features.
        CorruptStoreError: Bytes on disk are not those that were written.
        RecordError: A run's predictions are missing or broken.
        StoreWriteError: No space, no permission; nothing half-written is visible.
    """
    with naming_import(home, found):
        return _export(home, found, options, advance)


def _export(
    home: Path, found: FeatureSet, options: ExportOptions, advance: Callable[[int], None]
) -> Exported:
    target = options.output / slug(found.domain)
    _refuse_in_the_way(target, overwrite=options.overwrite)
    index = read_index_of(home, found)
    if "predictions" in options.what:
        refuse_other_features(home, found, options.runs)
    image = OnceReader(open_member_of(index, home, found.image), "features")
    logits = OnceReader(open_member_of(index, home, found.logits), "logits")
    text = _text(home, found, index, options)
    shard_rows = image.store.manifest.shard_rows
    valid = image.valid & logits.valid
    selection = select_rows(index, options.split, valid=valid, shard_rows=shard_rows)
    if not len(selection.rows):
        raise ExportError(
            f"nothing of {found.dataset}/{found.domain} to export",
            expected=f"rows of split {options.split}",
            found=f"none with data, {len(selection.left_out)} without",
            fix="Choose another --split.",
        )
    columns = DomainColumns(
        index=index, rows=selection.rows, image=image, logits=logits, options=options
    ).columns()
    about = _about(home, found, index, options, selection, image.store)
    tables = {"images": ExportTable(columns=columns, bounds=selection.bounds, about=about)}
    if text is not None:
        tables["text"] = text_table(text, options, about)
    try:
        with publishing(target) as folder:
            _write(folder, tables, options.format, about, advance)
            image.finish()
            logits.finish()
    except OSError as error:
        raise write_error(target, error) from error
    return Exported(directory=target, rows=len(selection.rows), left_out=selection.left_out)


def _write(
    folder: Path,
    tables: Mapping[str, ExportTable],
    form: Format,
    about: Mapping[str, Any],
    advance: Callable[[int], None],
) -> None:
    files = {}
    for name, table in tables.items():
        path = folder / f"{name}.{form}"
        _WRITERS[form](path, table, advance if name == "images" else lambda _: None)
        files[path.name] = {"rows": table.rows, "sha256": file_sha256(path)}
    text = json.dumps({**about, "files": files}, indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _about(
    home: Path,
    found: FeatureSet,
    index: Index,
    options: ExportOptions,
    selection: Selection,
    image: Store,
) -> dict[str, Any]:
    runs = {prediction_name(r): run_facts(r) for r in options.runs}
    rows = {"split": options.split, "rows": len(selection.rows)}
    return about_export(
        home,
        found,
        index,
        normalized=options.normalize or unit_length(image.manifest.key),
        left_out=selection.left_out,
        rows=rows | ({"runs": runs} if "predictions" in options.what else {}),
    )


def _text(home: Path, found: FeatureSet, index: Index, options: ExportOptions) -> Store | None:
    if "text" not in options.what:
        return None
    if found.text is None:
        raise ExportError(
            f"no text features of {found.strong} to export",
            expected="an encoder with a text tower",
            found="an image-only one",
            fix="Leave `text` out of --what.",
        )
    return open_member_of(index, home, found.text)


def _refuse_in_the_way(target: Path, *, overwrite: bool) -> None:
    """A folder is replaced only when that is asked for, and only one that is an export itself."""
    if not target.exists():
        return
    own = _is_export(target)
    if overwrite and own:
        return
    raise ExportError(
        f"{target} is in the way",
        expected="no such folder" if own else "no such folder, or an earlier export",
        found="an earlier export" if own else "something that is no export",
        fix="Add --overwrite to replace it, or choose another --output."
        if own
        else "Choose another --output; it is not touched.",
    )


def _is_export(folder: Path) -> bool:
    try:
        about = parse_json((folder / MANIFEST).read_bytes())
        return about["schema"] == EXPORT_SCHEMA and {p.name for p in folder.iterdir()} <= {
            MANIFEST,
            *about["files"],
        }
    except (OSError, ValueError, LookupError, TypeError):
        return False
