"""Laws of imported weak predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from w2s_cache.errors import UnknownNameError, WeakLogitsError
from w2s_cache.weak.imported import read_weak_logits

CLASSES = ("bed", "The Eiffel_Tower", "zebra")
PATHS = tuple(f"real/{name}/{number}.jpg" for name in "abc" for number in range(3))
LOGITS = np.random.default_rng(0).normal(0, 5, (len(PATHS), len(CLASSES))).astype(np.float32)
Writer = Callable[[Path, Sequence[str], np.ndarray], Path]


def list_parquet(folder: Path, paths: Sequence[str], logits: np.ndarray) -> Path:
    """One column of lists."""
    table = pa.table({"logits": logits.tolist(), "path": list(paths)})
    pq.write_table(table, folder / "list.parquet")
    return folder / "list.parquet"


def columns(paths: Sequence[str], logits: np.ndarray) -> pa.Table:
    """One column per class, in another order, and one that is nobody's business."""
    named = {name: logits[:, label] for label, name in reversed(list(enumerate(CLASSES)))}
    return pa.table({"remark": [""] * len(paths), **named, "path": list(paths)})


def column_parquet(folder: Path, paths: Sequence[str], logits: np.ndarray) -> Path:
    """A column per class."""
    pq.write_table(columns(paths, logits), folder / "columns.parquet")
    return folder / "columns.parquet"


def csv(folder: Path, paths: Sequence[str], logits: np.ndarray) -> Path:
    """A column per class as text."""
    pa_csv.write_csv(columns(paths, logits), folder / "columns.csv")
    return folder / "columns.csv"


def npz(folder: Path, paths: Sequence[str], logits: np.ndarray) -> Path:
    """Two arrays."""
    np.savez(folder / "arrays.npz", path=np.array(paths), logits=logits)
    return folder / "arrays.npz"


WRITERS: tuple[Writer, ...] = (list_parquet, column_parquet, csv, npz)
every_format = pytest.mark.parametrize("write", WRITERS)


def read(file: Path) -> np.ndarray:
    """Read with the classes and paths of this module."""
    return read_weak_logits(file, paths=PATHS, classes=CLASSES)


@every_format
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(len(PATHS))))
def test_rows_come_back_in_index_order(tmp_path: Path, write: Writer, order: list[int]) -> None:
    """Whatever the order in the file, row i is the logits of path i, bit by bit in float32."""
    found = read(write(tmp_path, [PATHS[row] for row in order], LOGITS[order]))
    assert found.dtype == np.float32
    assert np.array_equal(found, LOGITS)


@every_format
def test_missing_and_unknown_rows_are_counted_and_shown(tmp_path: Path, write: Writer) -> None:
    """Both lists appear in one error, with examples."""
    paths = ["real/x/0.jpg", *PATHS[1:-1]]
    with pytest.raises(WeakLogitsError) as caught:
        read(write(tmp_path, paths, LOGITS[:-1]))
    assert (
        caught.value.expected == "the 9 rows of the index, beside them only rows of other domains"
    )
    assert caught.value.found == f"2 missing ({PATHS[0]}, {PATHS[-1]}), 1 unknown (real/x/0.jpg)"
    assert caught.value.fix.startswith("Write paths relative to the data root")


def test_a_long_list_of_missing_rows_is_cut(tmp_path: Path) -> None:
    """Three examples are enough to see the pattern."""
    with pytest.raises(WeakLogitsError) as caught:
        read(npz(tmp_path, PATHS[:4], LOGITS[:4]))
    assert caught.value.found == f"5 missing ({', '.join(PATHS[4:7])}, …), 0 unknown"


@every_format
def test_rows_of_other_domains_are_left_where_they_are(tmp_path: Path, write: Writer) -> None:
    """One file may hold a whole data set; only paths that no domain knows are unknown."""
    paths = ["sketch/a/0.jpg", *PATHS, "sketch/b/0.jpg"]
    file = write(tmp_path, paths, np.concatenate([LOGITS[:1] + 1, LOGITS, LOGITS[:1] + 2]))
    asked = []

    def elsewhere(path: str) -> bool:
        asked.append(path)
        return path.startswith("sketch/a")

    with pytest.raises(WeakLogitsError, match=r"0 missing, 1 unknown \(sketch/b/0.jpg\)"):
        read_weak_logits(file, paths=PATHS, classes=CLASSES, elsewhere=elsewhere)
    assert asked == [paths[0], paths[-1]]
    found = read_weak_logits(file, paths=PATHS, classes=CLASSES, elsewhere=lambda _: True)
    assert np.array_equal(found, LOGITS)


@every_format
def test_probabilities_are_refused(tmp_path: Path, write: Writer) -> None:
    """Rows that are nowhere below 0 and sum to 1 are no logits; their logarithms are."""
    shares = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    with pytest.raises(WeakLogitsError, match="probabilities") as caught:
        read(write(tmp_path, PATHS, shares.round(4)))
    assert "log-probabilities" in caught.value.fix
    logs = np.log(np.maximum(shares, 1e-7))
    assert np.array_equal(read(write(tmp_path, PATHS, logs)), logs)
    shares[3] *= 2  # one row of another sum is enough to be logits that happen to be positive
    assert np.array_equal(read(write(tmp_path, PATHS, shares)), shares)


@every_format
def test_rows_too_small_for_float32_are_refused(tmp_path: Path, write: Writer) -> None:
    """They would be stored as zeros, which predict nothing; a row of zeros is what it says."""
    small = LOGITS.astype(np.float64)
    small[4] *= 1e-60
    with pytest.raises(WeakLogitsError, match=r"at least 1.18e-38 in each row") as caught:
        read(write(tmp_path, PATHS, small))
    assert caught.value.found == f"smaller ones in 1 rows, first {PATHS[4]!r}"
    small[4] = 0
    assert not read(write(tmp_path, PATHS, small))[4].any()


@every_format
def test_a_repeated_row_is_named(tmp_path: Path, write: Writer) -> None:
    """A path that occurs twice is refused even if both rows agree."""
    with pytest.raises(WeakLogitsError) as caught:
        read(write(tmp_path, [*PATHS, PATHS[4]], LOGITS[[*range(9), 4]]))
    assert caught.value.expected == "each path once"
    assert caught.value.found == f"{PATHS[4]!r} more than once"


@pytest.mark.parametrize("write", [list_parquet, npz])
def test_a_wrong_number_of_classes_is_refused(tmp_path: Path, write: Writer) -> None:
    """One number per class, no more and no less."""
    with pytest.raises(WeakLogitsError) as caught:
        read(write(tmp_path, PATHS, LOGITS[:, :2]))
    assert caught.value.expected == "3 logits per row"
    assert caught.value.found == "shape (9, 2)"


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_misspelt_class_column_is_named_with_the_nearest(tmp_path: Path, suffix: str) -> None:
    """Columns are found by class name; one that is absent is named, and what may stand for it."""
    table = columns(PATHS, LOGITS).rename_columns(["remark", "zebar", *CLASSES[1::-1], "path"])
    file = tmp_path / f"less.{suffix}"
    (pa_csv.write_csv if suffix == "csv" else pq.write_table)(table, file)
    with pytest.raises(WeakLogitsError) as caught:
        read(file)
    assert caught.value.expected == "a column `path` and either `logits` or one column per class"
    assert caught.value.found == (
        "no column for 'zebra' (did you mean 'zebar'?); "
        "columns that are no class: 'remark', 'zebar'"
    )


def test_a_header_without_any_class_is_told_what_it_has(tmp_path: Path) -> None:
    """Hundreds of missing names help nobody where the whole sort of column is another."""
    (tmp_path / "other.csv").write_text("path,p0,p1,p2\nreal/a/0.jpg,1,2,3\n")
    with pytest.raises(WeakLogitsError, match="none of the 3 classes, but 'p0', 'p1', 'p2'"):
        read(tmp_path / "other.csv")


@pytest.mark.parametrize("cell", ["n/a", "", "#N/A", "high"])
def test_text_that_is_no_number_is_named_as_such(tmp_path: Path, cell: str) -> None:
    """Nobody looks for NaN in a file that says "n/a"."""
    rows = "".join(f"{path},1,{cell if path == PATHS[4] else 2},3\n" for path in PATHS)
    (tmp_path / "text.csv").write_text(f"path,{','.join(CLASSES)}\n{rows}")
    with pytest.raises(WeakLogitsError) as caught:
        read(tmp_path / "text.csv")
    where = f"class 'The Eiffel_Tower' of {PATHS[4]!r}"
    assert caught.value.found == f"{cell!r} in {where}, which is no number"


@pytest.mark.parametrize("form", ["json", "blanks"])
def test_a_column_of_lists_works_in_csv_too(tmp_path: Path, form: str) -> None:
    """A JSON list or numbers parted by blanks: the same logits, bit by bit in float32."""
    cells = [f'"{row}"' if form == "json" else "  ".join(map(repr, row)) for row in LOGITS.tolist()]
    rows = "".join(f"{path},{cell}\n" for path, cell in zip(PATHS, cells, strict=True))
    (tmp_path / "lists.csv").write_text(f"path,logits\n{rows}", encoding="utf-8-sig")
    assert np.array_equal(read(tmp_path / "lists.csv"), LOGITS)


@every_format
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_counted(
    tmp_path: Path, write: Writer, value: float
) -> None:
    """NaN and infinity are refused with the number of rows and the first path."""
    logits = LOGITS.copy()
    logits[[3, 5], 1] = value
    with pytest.raises(WeakLogitsError) as caught:
        read(write(tmp_path, PATHS, logits))
    assert caught.value.expected == "finite logits"
    assert caught.value.found == f"NaN or infinity in 2 rows, first {PATHS[3]!r}"


def test_numbers_beyond_float32_are_not_finite(tmp_path: Path) -> None:
    """A float64 that float32 cannot hold is refused, not stored as infinity."""
    logits = LOGITS.astype(np.float64)
    logits[2, 2] = 1e300
    with pytest.raises(WeakLogitsError, match="NaN or infinity in 1 row,"):
        read(npz(tmp_path, PATHS, logits))


def test_a_pickle_inside_an_archive_is_refused(tmp_path: Path) -> None:
    """Object arrays would need pickle, which is never read."""
    with pytest.raises(WeakLogitsError, match="pickled objects"):
        read(npz(tmp_path, PATHS, LOGITS.astype(object)))


def named(folder: Path, classes: Sequence[str], logits: np.ndarray, **more: np.ndarray) -> Path:
    """An archive that says which class each column belongs to."""
    arrays = {"path": np.array(PATHS), "logits": logits, "classes": np.array(classes)}
    np.savez(folder / "named.npz", **arrays, **more)
    return folder / "named.npz"


def test_classes_of_an_archive_order_its_columns(tmp_path: Path) -> None:
    """Columns come back in class order, whatever the order and number of the named classes."""
    classes = ("yak", *reversed(CLASSES))
    logits = np.column_stack([np.zeros(len(PATHS)), LOGITS[:, ::-1]])
    assert np.array_equal(read(named(tmp_path, classes, logits)), LOGITS)


@pytest.mark.parametrize(
    ("classes", "found"),
    [
        (("bed", "The_Eiffel_Tower", "zebra"), "no column for 'The Eiffel_Tower'"),
        (("x", "y", "z"), "none of the 3 classes"),
        (("bed", "bed", "zebra"), "repeat: 'bed'"),
        (CLASSES[:2], "2 `classes` for logits of shape"),
        (5, "no list"),
    ],
)
def test_classes_that_are_not_the_index_s_are_refused(
    tmp_path: Path, classes: Sequence[str], found: str
) -> None:
    """A name that no class has, a repeated one and a wrong number are named."""
    with pytest.raises(WeakLogitsError, match=found):
        read(named(tmp_path, classes, LOGITS))


def test_unknown_arrays_of_an_archive_are_named(tmp_path: Path) -> None:
    """What nobody reads might have been meant to change what is read."""
    with pytest.raises(WeakLogitsError, match="unknown arrays 'class_names'"):
        read(named(tmp_path, CLASSES, LOGITS, class_names=np.array(CLASSES)))


def test_paths_and_logits_of_differing_number_are_refused(tmp_path: Path) -> None:
    """An archive whose arrays disagree is not cut to the shorter one."""
    for rows in (LOGITS[[*range(9), 0]], LOGITS[:8]):
        with pytest.raises(WeakLogitsError) as caught:
            read(npz(tmp_path, PATHS, rows))
        assert (caught.value.expected, caught.value.found) == (
            "9 rows, one per path",
            str(len(rows)),
        )


def save_array(path: Path) -> None:
    """Write a bare array under the name of an archive."""
    with path.open("wb") as file:
        np.save(file, LOGITS)


BROKEN: dict[str, Callable[[Path], object]] = {
    "empty.npz": lambda path: path.write_bytes(b""),
    "empty.csv": lambda path: path.write_bytes(b""),
    "empty.parquet": lambda path: path.write_bytes(b""),
    "text.npz": lambda path: path.write_text("path,logits"),
    "text.parquet": lambda path: path.write_text("path,logits"),
    "array.npz": save_array,
    "words.npz": lambda path: np.savez(path, path=np.array(PATHS), logits=LOGITS.astype(str)),
    "nameless.npz": lambda path: np.savez(path, LOGITS),
    "pathless.csv": lambda path: path.write_text("bed,zebra\n1,2\n"),
    "scalar.csv": lambda path: path.write_text(f"path,logits\n{PATHS[0]},1.5\n"),
    "listed.csv": lambda path: path.write_text(f'path,logits\n{PATHS[0]},"[1, 2, 3"\n'),
    "object.csv": lambda path: path.write_text(f'path,logits\n{PATHS[0]},"[{{}}, 2, 3]"\n'),
    "latin.csv": lambda path: path.write_bytes(b"path,logits\n\xe9,1\n"),
    "rows.csv": lambda path: path.write_text("path,bed\n"),
    "words.csv": lambda path: path.write_text(
        f"path,{','.join(CLASSES)}\n{PATHS[0]},high,low,low\n"
    ),
    "ragged.parquet": lambda path: pq.write_table(
        pa.table({"path": PATHS[:2], "logits": [[1.0, 2.0, 3.0], [1.0]]}), path
    ),
    "null.parquet": lambda path: pq.write_table(
        pa.table({"path": PATHS[:2], "logits": [None, [1.0, 2.0, 3.0]]}), path
    ),
    "hole.parquet": lambda path: pq.write_table(
        pa.table({"path": PATHS, "logits": [[1.0, None, 3.0]] * 9}), path
    ),
    "none.parquet": lambda path: pq.write_table(
        pa.table({"path": pa.array([], pa.string()), "logits": pa.array([], pa.list_(pa.int8()))}),
        path,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_of_another_shape_is_one_sentence(tmp_path: Path, name: str) -> None:
    """Whatever lies in the file, it is read or it is a WeakLogitsError that names the file."""
    BROKEN[name](tmp_path / name)
    with pytest.raises(WeakLogitsError, match=name) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_an_absent_file_is_said(tmp_path: Path) -> None:
    """No file is an error before anything else."""
    with pytest.raises(WeakLogitsError) as caught:
        read(tmp_path / "absent.csv")
    assert caught.value.what == f"weak logits {tmp_path / 'absent.csv'}"
    assert (caught.value.found, caught.value.fix) == ("no such file", "Correct the path.")


def test_an_unknown_suffix_is_offered_the_three(tmp_path: Path) -> None:
    """The suffix says the format; another one is refused with the known ones."""
    (tmp_path / "logits.pkl").write_bytes(b"")
    with pytest.raises(UnknownNameError) as caught:
        read(tmp_path / "logits.pkl")
    assert caught.value.kind == "format of weak logits"
    assert caught.value.known == [".csv", ".npz", ".parquet"]
