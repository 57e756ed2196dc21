"""No file that is read can run code: every reader is given one that would, and refuses it."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from w2s_cache.errors import EncoderError, SpecError, UnknownNameError, WeakLogitsError
from w2s_cache.spec import parse_spec
from w2s_cache.weak.imported import read_weak_logits

CLASSES = ("a", "b")


class Trap:
    """Unpickled, it leaves a file behind."""

    def __init__(self, sentinel: Path) -> None:
        self.sentinel = sentinel

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.sentinel,)


@pytest.fixture
def sentinel(tmp_path: Path) -> Path:
    """A file that is there only if code ran."""
    return tmp_path / "it ran"


def test_the_trap_works(sentinel: Path) -> None:
    """Read with pickle, the trap leaves its mark; so its absence below means something."""
    pickle.loads(pickle.dumps(Trap(sentinel)))  # noqa: S301  the danger itself
    assert sentinel.exists()


def npz(file: Path, trap: Trap) -> None:
    """An archive of numpy whose logits are objects."""
    logits = np.array([[trap, trap]], dtype=object)
    np.savez(file, path=np.array(["p"]), logits=logits)


def npy(file: Path, trap: Trap) -> None:
    """An array of objects without an archive, which numpy may read by pickle."""
    buffer = io.BytesIO()
    np.save(buffer, np.array([trap], dtype=object))
    file.write_bytes(buffer.getvalue())


def bare(file: Path, trap: Trap) -> None:
    """Nothing but a pickle."""
    file.write_bytes(pickle.dumps(trap, protocol=2))


def torch_archive(file: Path, trap: Trap) -> None:
    """What torch.save makes."""
    torch.save({"x": trap}, file)


def extension(file: Path, trap: Trap) -> None:
    """Parquet whose schema names the extension type that old pyarrow unpickled."""
    column = pa.field(
        "logits",
        pa.list_(pa.float32()),
        metadata={
            b"ARROW:extension:name": b"arrow.py_extension_type",
            b"ARROW:extension:metadata": pickle.dumps(trap),
        },
    )
    schema = pa.schema([("path", pa.string()), column], metadata={b"pandas": pickle.dumps(trap)})
    pq.write_table(pa.table([["p"], [[1.0, 2.0]]], schema=schema), file)


@pytest.mark.parametrize(
    ("suffix", "write"),
    [
        (".npz", npz),
        (".npz", npy),
        (".npz", bare),
        (".npz", torch_archive),
        (".parquet", bare),
        (".csv", bare),
    ],
)
def test_predictions_of_others_run_nothing(
    tmp_path: Path, sentinel: Path, suffix: str, write: Callable[[Path, Trap], None]
) -> None:
    """Whatever lies under the name of weak logits is refused by its form."""
    file = tmp_path / f"weak{suffix}"
    write(file, Trap(sentinel))
    with pytest.raises(WeakLogitsError):
        read_weak_logits(file, paths=["p"], classes=CLASSES)
    assert not sentinel.exists()


def test_pickled_metadata_of_a_table_is_not_looked_at(tmp_path: Path, sentinel: Path) -> None:
    """The numbers of such a table are read, the metadata stays bytes."""
    extension(tmp_path / "weak.parquet", Trap(sentinel))
    logits = read_weak_logits(tmp_path / "weak.parquet", paths=["p"], classes=CLASSES)
    assert logits.tolist() == [[1.0, 2.0]]
    assert not sentinel.exists()


@pytest.mark.parametrize("suffix", [".pt", ".bin", ".safetensors", ".npz"])
@pytest.mark.parametrize("write", [bare, torch_archive, npz])
@pytest.mark.parametrize("library", ["open_clip", "timm"])
def test_checkpoints_run_nothing(
    tmp_path: Path,
    sentinel: Path,
    library: str,
    write: Callable[[Path, Trap], None],
    suffix: str,
) -> None:
    """Under whatever suffix, weights that are not plain tensors are refused."""
    from w2s_cache.encoders.catalogue import load_encoder

    file = tmp_path / f"weights{suffix}"
    with file.open("wb"):
        pass
    write(file, Trap(sentinel))
    if not file.stat().st_size:  # numpy adds a suffix of its own
        file.write_bytes(file.with_name(f"{file.name}.npz").read_bytes())
    model = {"open_clip": "pocket-clip", "timm": "test_resnet"}[library]
    with pytest.raises(EncoderError):
        load_encoder(library, model, checkpoint=str(file), precision="fp32", device="cpu")
    assert not sentinel.exists()


SPEC = """
name = "toy"
title = "Toy"
methods = [{method}]
[data]
format = {format}
[strong.clip]
library = {library}
model = "ViT-B-32,none"
[weak.net]
model = "test_resnet"
"""
PLAIN = {"method": '"cpl"', "format": '"class-folders"', "library": '"open_clip"'}
CODE = "\"__import__('pathlib').Path({!r}).touch()\""


def use_all_names(text: str) -> None:
    """Reads a spec and looks up what it names."""
    from w2s_cache.encoders.catalogue import load_encoder
    from w2s_cache.methods import find_method

    spec = parse_spec(text, origin="hostile.toml")
    find_method(spec.methods[0])
    section = spec.strong["clip"]
    load_encoder(section.library, "m", checkpoint=None, precision="fp32", device="cpu")


@pytest.mark.parametrize("field", list(PLAIN))
def test_a_spec_names_no_code(sentinel: Path, field: str) -> None:
    """Names in a spec are looked up among installed ones; nothing is imported or evaluated."""
    text = SPEC.format(**{**PLAIN, field: CODE.format(str(sentinel))})
    with pytest.raises((SpecError, UnknownNameError)):
        use_all_names(text)
    assert not sentinel.exists()


@pytest.mark.parametrize("name", ["os.path", "w2s_cache.tables.build", "../evil", "os:system"])
def test_a_library_is_no_import_path(name: str) -> None:
    """Only the built-in encoders and entry points of installed packages can be named."""
    from w2s_cache.encoders.catalogue import load_encoder

    with pytest.raises(UnknownNameError):
        load_encoder(name, "m", checkpoint=None, precision="fp32", device="cpu")


def test_a_zip_under_the_name_of_predictions_is_no_archive_of_arrays(tmp_path: Path) -> None:
    """A zip of other files is refused by what it lacks."""
    with zipfile.ZipFile(tmp_path / "weak.npz", "w") as archive:
        archive.writestr("path.npy", b"import os")
        archive.writestr("logits.npy", b"\x93NUMPY")
    with pytest.raises(WeakLogitsError):
        read_weak_logits(tmp_path / "weak.npz", paths=["p"], classes=CLASSES)
