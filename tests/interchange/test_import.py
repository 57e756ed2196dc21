"""Laws of imports: the numbers of the files in row order, declared, checked, or nothing at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from w2s_cache.errors import ImportedFeaturesError
from w2s_cache.extract.domain import extract_domain
from w2s_cache.store.check import check_store
from w2s_cache.store.feature_set import open_member
from w2s_cache.store.fingerprint import file_sha256

FORMATS = ("parquet", "npz", "safetensors")


def write(file: Path, paths: Any, features: Any) -> Path:
    """Somebody's own file of features, as docs/interchange.md describes each format."""
    if file.suffix == ".npz":
        np.savez(file, path=np.array(paths), features=features)
    elif file.suffix == ".parquet":
        pq.write_table(pa.table({"path": list(paths), "features": list(features)}), file)
    else:
        save_file({"features": features}, file, {"path": json.dumps(list(paths))})
    return file


@pytest.fixture
def theirs(house) -> tuple[list[str], np.ndarray]:
    """Paths of both domains in a mixed order with raw features of width 4."""
    paths = [p for domain in ("photo", "art") for p in house.inputs(domain).index.paths][::-1]
    features = np.random.default_rng(1).normal(size=(len(paths), 4)).astype(np.float32)
    return paths, features


def of_domain(house, theirs, domain: str = "art") -> np.ndarray:
    """The rows of a domain in index order."""
    place = {path: row for row, path in enumerate(theirs[0])}
    return theirs[1][[place[path] for path in house.inputs(domain).index.paths]]


def test_an_import_is_never_taken_for_an_extraction(house, tmp_path):
    """Its key says imported, from which files and of which store, and it is a sound store."""
    done = house.export(tmp_path / "out")
    house.bring(done.directory, model=None, normalized=None)
    own, ref = house.feature_set().image, house.feature_set(strong="theirs").image
    store = open_member(house.home, ref)
    assert store.manifest.key["encoder"] == {
        "imported": True,
        "model": None,
        "pretrained": None,
        "tensor": "features",
        "normalized": False,
        "exported": {"key_digest": own.key_digest, "encoder": {"architecture": "fake"}},
    }
    assert store.manifest.key["source"] == {
        "format": "parquet",
        "files": [file_sha256(done.directory / "images.parquet")],
    }
    assert ref.key_digest != own.key_digest
    assert check_store(store.directory) == []


def test_class_text_of_all_domains_is_one_store(house, tmp_path):
    """Equal numbers have an equal key, whichever domain's file they came from."""
    for domain in ("art", "photo"):
        folder = house.export(tmp_path / "out", domain).directory
        house.bring(folder, domain, model=None, normalized=None, text=folder / "text.parquet")
    texts = {house.feature_set(domain, "theirs").text for domain in ("art", "photo")}
    assert len(texts) == 1


@pytest.mark.parametrize("form", FORMATS)
def test_rows_are_found_by_path(house, theirs, tmp_path, form):
    """One file of all domains in any order serves each with its own rows."""
    file = write(tmp_path / f"mine.{form}", *theirs)
    for domain in ("art", "photo"):
        done = house.bring(file, domain)
        assert (done.rows, done.written) == (12, {"features": 12, "logits": 0})
        found = house.inputs(domain, "theirs")
        assert np.array_equal(found.features, of_domain(house, theirs, domain))
        assert found.text is None


def test_the_same_import_writes_nothing_twice(house, theirs, tmp_path):
    """An import is reused; another file under the same name replaces it, aloud."""
    house.bring(write(tmp_path / "mine.npz", *theirs))
    assert house.bring(tmp_path / "mine.npz").written["features"] == 0
    assert house.progress.said == []
    house.bring(write(tmp_path / "mine.npz", theirs[0], theirs[1] + 1))
    assert house.progress.said == ["art: earlier features of theirs replaced"]
    assert np.array_equal(house.inputs(strong="theirs").features, of_domain(house, theirs) + 1)


def test_every_declaration_is_part_of_the_key(house, theirs, tmp_path):
    """Other words about the same numbers make another store."""
    file, keys = write(tmp_path / "mine.npz", *theirs), set()
    for said in ({}, {"model": "n"}, {"pretrained": "p"}, {"tensor": "preprojection"}):
        house.bring(file, **said)
        keys.add(house.feature_set(strong="theirs").image.key_digest)
    assert len(keys) == 4


def test_half_precision_is_widened(house, theirs, tmp_path):
    """float16 numbers come back as themselves."""
    half = theirs[1].astype(np.float16)
    house.bring(write(tmp_path / "mine.npz", theirs[0], half))
    found = house.inputs(strong="theirs").features
    assert np.array_equal(found, of_domain(house, (theirs[0], half.astype(np.float32))))


def test_a_prefix_is_taken_off(house, theirs, tmp_path):
    """Absolute paths are matched once it is said what precedes them."""
    long = [f"/data/pics/{path}" for path in theirs[0]]
    file = write(tmp_path / "mine.npz", long, theirs[1])
    with pytest.raises(ImportedFeaturesError, match=r"12 missing.*24 unknown.*--prefix"):
        house.bring(file)
    house.bring(file, prefix="/data/pics/")
    assert np.array_equal(house.inputs(strong="theirs").features, of_domain(house, theirs))
    with pytest.raises(ImportedFeaturesError, match="begin with /data/pix/"):
        house.bring(file, prefix="/data/pix")


def test_the_named_model_makes_class_text(house, theirs, tmp_path):
    """Its text tower encodes the spec's templates, if it is as wide as the features."""
    file = write(tmp_path / "mine.npz", *theirs)
    done = house.bring(file, text_by_model=True, width=4)
    assert done.has_text
    assert house.inputs(strong="theirs").text.shape == (3, 4)
    with pytest.raises(ImportedFeaturesError, match=r"text features of width 4.*width 6"):
        house.bring(file, text_by_model=True)


def test_class_text_may_come_in_a_file_of_its_own(house, theirs, tmp_path):
    """One row per class in any order; the scale has to be said."""
    names, rows = ["red", "blue", "green"], np.eye(3, 4, dtype=np.float32)
    np.savez(tmp_path / "text.npz", **{"class": np.array(names), "features": rows})
    file = write(tmp_path / "mine.npz", *theirs)
    with pytest.raises(ImportedFeaturesError, match="--logit-scale"):
        house.bring(file, text=tmp_path / "text.npz")
    house.bring(file, text=tmp_path / "text.npz", logit_scale=100.0)
    found = house.inputs(strong="theirs")
    assert found.logit_scale == 100
    assert np.array_equal(found.text, rows[[1, 2, 0]])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _, f: (["red", "blue", "lime"], f), r"1 missing \['green'\], 1 unknown \['lime'\]"),
        (lambda n, f: (n, f[:, :3]), "expected width 4, as the image features, found width 3"),
        (lambda n, f: (n, f * np.nan), "NaN or infinity"),
        (lambda n, f: (n, f.astype(np.float64) * 1e-60), "at least 1.18e-38"),
        (lambda _, f: (["red", "red", "blue", "green"], f), r"\[1, 2\] rows per class"),
    ],
)
def test_class_text_that_does_not_fit_is_refused(house, theirs, tmp_path, change, said):
    """Other classes, widths or numbers that are none leave the cache as it was."""
    names, rows = change(["red", "blue", "green"], np.eye(4, dtype=np.float32))
    np.savez(tmp_path / "text.npz", **{"class": np.array(names), "features": rows[: len(names)]})
    file, before = write(tmp_path / "mine.npz", *theirs), house.files()
    with pytest.raises(ImportedFeaturesError, match=said):
        house.bring(file, text=tmp_path / "text.npz", logit_scale=1.0)
    assert house.files() == before


def spoilt(rows: np.ndarray, row: int, value: float) -> np.ndarray:
    """A copy with one row of other numbers."""
    changed = rows.copy()
    changed[row] = value
    return changed


UNIT = {"normalized": True}
FAULTS = [
    ("a row too few", lambda p, f: (p[:-1], f[:-1]), {}, r"1 missing \(photo/blue/00.png\)"),
    ("an unknown path", lambda p, f: ([*p[:-1], "x.png"], f), {}, r"1 unknown \(x.png\)"),
    ("a path twice", lambda p, f: ([*p[:-1], p[0]], f), {}, "more than once"),
    ("fewer rows than paths", lambda p, f: (p, f[:-1]), {}, "24 rows of features, one per path"),
    ("NaN", lambda p, f: (p, spoilt(f, -1, np.nan)), {}, "NaN or infinity at 'photo/blue/00.png'"),
    ("infinity", lambda p, f: (p, spoilt(f, -1, np.inf)), {}, "NaN or infinity"),
    ("zeros", lambda p, f: (p, spoilt(f, -1, 0)), {}, "a row of zeros at 'photo/blue/00.png'"),
    ("integers", lambda p, f: (p, f.astype(int)), {}, "int64 of shape"),
    ("one dimension", lambda p, f: (p, f[:, 0]), {}, r"float32 of shape \(24,\)"),
    ("raw called normalised", lambda p, f: (p, f), UNIT, "rows of unit length.*--raw"),
    (
        "normalised called raw",
        lambda p, f: (p, f / np.linalg.norm(f, axis=1, keepdims=True)),
        {},
        "--normalized",
    ),
    ("no model", lambda p, f: (p, f), {"model": None}, "--model"),
    ("no word on length", lambda p, f: (p, f), {"normalized": None}, "--normalized or --raw"),
    ("an order beside paths", lambda p, f: (p, f), {"order": "index"}, "--row-order"),
]


@pytest.mark.parametrize(
    ("change", "said", "message"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_what_is_wrong_is_named_and_nothing_is_written(
    house, theirs, tmp_path, change, said, message
):
    """Any fault of a source is refused before the first byte of the cache changes."""
    file, before = write(tmp_path / "mine.npz", *change(*theirs)), house.files()
    with pytest.raises(ImportedFeaturesError, match=message):
        house.bring(file, "photo", **said)
    assert house.files() == before


def test_numbers_beyond_the_storage_type_are_refused(house, theirs, tmp_path):
    """A spec that stores half precision takes no larger number."""
    store = house.spec.store.model_copy(update={"dtype": "float16"})
    house.spec = house.spec.model_copy(update={"store": store})
    for domain in ("art", "photo"):  # the logits' domain index is as before
        with pytest.raises(ImportedFeaturesError, match="magnitudes up to 65504"):
            house.bring(write(tmp_path / "mine.npz", theirs[0], theirs[1] * 1e6), domain)


@pytest.mark.parametrize(
    ("dtype", "scale", "least"), [("float16", 1e-9, "6.1e-05"), ("float32", 1e-60, "1.18e-38")]
)
def test_rows_too_small_for_the_storage_type_are_refused(
    house, theirs, tmp_path, dtype, scale, least
):
    """They would be stored as zeros, or with few digits; the image is named."""
    store = house.spec.store.model_copy(update={"dtype": dtype})
    house.spec = house.spec.model_copy(update={"store": store})
    file = write(tmp_path / "mine.npz", theirs[0], theirs[1].astype(np.float64) * scale)
    before = house.files()
    with pytest.raises(ImportedFeaturesError, match=f"at least {least} in each row.*'art/"):
        house.bring(file)
    assert house.files() == before


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("mine.npz", b"no archive", "no npz archive"),
        ("mine.parquet", b"no parquet", "a file with `path` and `features`"),
        ("mine.safetensors", b"nothing", "a file with `path` and `features`"),
        ("mine.csv", b"path,features", "found mine.csv"),
        ("", b"", "a folder with none of these"),
    ],
)
def test_what_cannot_be_read_is_said(house, tmp_path, name, content, said):
    """A damaged file or one of another kind is refused with what would be read."""
    folder = tmp_path / "there"
    folder.mkdir()
    if name:
        (folder / name).write_bytes(content)
    with pytest.raises(ImportedFeaturesError, match=said):
        house.bring(folder / name)
    with pytest.raises(ImportedFeaturesError, match="no such file or folder"):
        house.bring(tmp_path / "absent")


def test_a_pickle_is_never_opened(house, theirs, tmp_path):
    """An array of objects is refused without looking into it."""
    write(tmp_path / "mine.npz", np.array(theirs[0], dtype=object), theirs[1])
    with pytest.raises(ImportedFeaturesError, match="pickled objects, which are not read"):
        house.bring(tmp_path / "mine.npz")


def test_ragged_and_absent_vectors_are_refused(house, theirs, tmp_path):
    """Lists of differing lengths and nulls are no features."""
    paths, rows = theirs[0], theirs[1].tolist()
    for last, said in (([1.0], "differing lengths"), (None, "null in 1 of 24")):
        table = pa.table({"path": paths, "features": [*rows[:-1], last]})
        pq.write_table(table, tmp_path / "mine.parquet")
        with pytest.raises(ImportedFeaturesError, match=said):
            house.bring(tmp_path / "mine.parquet")


def test_imported_features_have_no_encoder(house, theirs, tmp_path):
    """Extraction cannot continue what somebody else computed, and says so."""
    from w2s_cache.encoders.catalogue import load_encoder
    from w2s_cache.errors import NoTextTowerError

    house.bring(write(tmp_path / "mine.npz", *theirs))
    with pytest.raises(NoTextTowerError, match="w2s-cache import"):
        load_encoder("imported", "theirs", checkpoint=None, precision="fp32", device="cpu")
    done = extract_domain(  # what is there is there
        house.request("theirs"),
        "art",
        strong=lambda _: pytest.fail("asked"),
        progress=house.progress,
    )
    assert done.reused
