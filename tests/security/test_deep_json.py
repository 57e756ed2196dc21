"""JSON that somebody else wrote, nested a hundred thousand deep, is refused or passed over."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from safetensors.numpy import save_file

from w2s_cache.cache.inventory import take_inventory
from w2s_cache.cache.pack_file import open_pack
from w2s_cache.cache.pack_layout import DIGESTS, SCHEMA
from w2s_cache.errors import CorruptStoreError, ImportedFeaturesError, WeakLogitsError
from w2s_cache.interchange import export
from w2s_cache.interchange.about import read_about
from w2s_cache.interchange.array_sources import read_array_source
from w2s_cache.store.layout import OWNER_FILE
from w2s_cache.store.lock import read_owner
from w2s_cache.weak.checkpoint_files import KEY_FILE
from w2s_cache.weak.imported_files import read_predictions

DEEP = "[" * 10**5 + "]" * 10**5


def test_a_deep_note_names_no_writer(tmp_path: Path) -> None:
    """The note of who writes."""
    (tmp_path / OWNER_FILE).write_text(DEEP)
    assert read_owner(tmp_path) is None


def test_a_deep_weak_model_is_one_without_weights(tmp_path: Path) -> None:
    """The note of a fine-tuned weak model."""
    folder = tmp_path / "v1" / "toy" / "art" / "weak" / "net-0"
    folder.mkdir(parents=True)
    (folder / KEY_FILE).write_text(DEEP)
    assert [entry.weights for entry in take_inventory(tmp_path).weak] == [""]


def test_a_pack_with_deep_digests_is_no_pack(tmp_path: Path) -> None:
    """The digests of a pack."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.attrs["schema"] = SCHEMA
        file[DIGESTS] = DEEP
    with pytest.raises(CorruptStoreError, match="deep"), open_pack(tmp_path / "x.h5"):
        pytest.fail("opened")


def test_deep_facts_are_not_those_of_an_export(tmp_path: Path) -> None:
    """What exported files say of themselves, and the manifest of an export."""
    assert read_about(DEEP) is None
    (tmp_path / export.MANIFEST).write_text(DEEP)
    assert not export._is_export(tmp_path)


def test_deep_paths_of_features_are_refused(tmp_path: Path) -> None:
    """The list of paths in the metadata of a safetensors file."""
    file = tmp_path / "x.safetensors"
    save_file({"features": np.ones((1, 2), np.float32)}, file, metadata={"path": DEEP})
    with pytest.raises(ImportedFeaturesError, match="deep"):
        read_array_source(file)


def test_deep_logits_are_refused(tmp_path: Path) -> None:
    """A cell of logits, of which no more than a line is shown."""
    file = tmp_path / "x.csv"
    file.write_text(f"path,logits\np,{json.dumps(DEEP)}\n")
    with pytest.raises(WeakLogitsError, match="no JSON list") as caught:
        read_predictions(file, ("a", "b"))
    assert len(str(caught.value)) < 1000
