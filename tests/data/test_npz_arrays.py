"""Arrays of an archive cost memory only when header, archive and file agree on their sizes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from w2s_cache.data import npz_arrays
from w2s_cache.data.npz_arrays import NpzArrays, open_npz
from w2s_cache.errors import ImportedFeaturesError, WeakLogitsError
from w2s_cache.interchange.array_sources import read_array_source
from w2s_cache.weak.imported_files import read_predictions

PATHS = np.array(["a/0.png", "a/1.png"])


def claiming(file: Path, name: str, shape: tuple[int, ...], body: bytes = b"") -> Path:
    """An archive of two paths, and an array whose header says what it likes."""
    header, paths = io.BytesIO(), io.BytesIO()
    fields = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, fields)
    np.save(paths, PATHS)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("path.npy", paths.getvalue())
        archive.writestr(f"{name}.npy", header.getvalue() + body)
    return file


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_writes_is_read(tmp_path: Path, save) -> None:
    """Texts and numbers of both ways to save come back as they were, in either order of axes."""
    numbers = np.asfortranarray(np.arange(12, dtype=np.float32).reshape(3, 4))
    save(tmp_path / "x.npz", path=PATHS, zeros=np.zeros((1000, 900)), numbers=numbers)
    with open_npz(tmp_path / "x.npz") as arrays:
        assert arrays.names == ["path", "zeros", "numbers"]
        assert arrays.texts("path") == PATHS.tolist()
        assert np.array_equal(arrays.read("numbers"), numbers)
        assert not arrays.read("zeros").any()
        with pytest.raises(KeyError, match="no array 'x' among path"):
            arrays.read("x")


@pytest.mark.parametrize("shape", [(2, 1 << 46), (1 << 40, 128), (2, 3), (-1, 4)])
def test_a_header_that_claims_other_bytes_is_refused(tmp_path: Path, shape) -> None:
    """Features and logits of terabytes, or of a byte more than is there, are one sentence."""
    body = bytes(20)
    with pytest.raises(ImportedFeaturesError, match=r"'features' (has|of)"):
        read_array_source(claiming(tmp_path / "x.npz", "features", shape, body))
    with pytest.raises(WeakLogitsError, match=r"'logits' (has|of)"):
        read_predictions(claiming(tmp_path / "y.npz", "logits", shape, body), ("a", "b"))


def test_zeros_packed_a_thousandfold_are_not_unpacked(tmp_path: Path, monkeypatch) -> None:
    """Beyond what is free, an array may be no denser than numbers are."""
    monkeypatch.setattr(npz_arrays, "FREE", 1000)
    file = claiming(tmp_path / "x.npz", "features", (2, 1 << 17), bytes(1 << 20))
    with pytest.raises(ImportedFeaturesError, match="packed too densely"):
        read_array_source(file)


@pytest.mark.parametrize(
    ("compress_size", "found"), [(1 << 50, "than the archive has"), (0, "too densely")]
)
def test_an_archive_that_claims_as_much_as_its_header_is_refused(
    tmp_path: Path, compress_size: int, found: str
) -> None:
    """The directory of an archive is a claim too: the file is what cannot lie."""
    file = claiming(tmp_path / "x.npz", "features", (1 << 40, 4))
    with zipfile.ZipFile(file) as archive:
        member = archive.getinfo("features.npy")
        member.file_size = (1 << 44) + 128
        member.compress_size = compress_size or member.compress_size
        arrays = NpzArrays(archive=archive, size=file.stat().st_size)
        with pytest.raises(ValueError, match=found):
            arrays.read("features")


def test_other_packings_are_refused(tmp_path: Path) -> None:
    """Only what numpy writes is unpacked."""
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("path.npy", b"")
    with open_npz(tmp_path / "x.npz") as arrays, pytest.raises(ValueError, match="deflated"):
        arrays.read("path")
