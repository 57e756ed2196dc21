"""Laws of exports that are imported: they come back whole, and what they say is looked at."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from w2s_cache.errors import ImportedFeaturesError
from w2s_cache.interchange import export
from w2s_cache.interchange.selection import select_rows
from w2s_cache.store.feature_set import open_member

FORMATS = ("parquet", "npz", "safetensors")


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_comes_back_bit_for_bit(house, tmp_path, form):
    """Export and import undo each other for features and class text, in every format."""
    done = house.export(tmp_path / "out", format=form)
    text = done.directory / f"text.{form}"
    house.bring(done.directory, model=None, normalized=None, text=text)
    own, again = house.inputs(), house.inputs(strong="theirs")
    assert np.array_equal(own.features, again.features)
    assert np.array_equal(own.text, again.text)
    assert own.logit_scale == again.logit_scale
    assert own.digests["logits_key"] == again.digests["logits_key"]


def test_an_export_is_believed_and_not_contradicted(house, tmp_path):
    """What it says of normalisation stands, and it is of these very images."""
    done = house.export(tmp_path / "out", normalize=True)
    with pytest.raises(ImportedFeaturesError, match="expected normalised rows, as the files say"):
        house.bring(done.directory, normalized=False)
    house.bring(done.directory, normalized=None)
    key = open_member(house.home, house.feature_set(strong="theirs").image).manifest.key
    assert key["encoder"]["normalized"] is True
    with pytest.raises(ImportedFeaturesError, match="tiny/art"):
        house.bring(done.directory, "photo", normalized=None)


def test_a_part_of_a_domain_is_no_domain(house, tmp_path):
    """An export of one half lacks rows, which are named."""
    done = house.export(tmp_path / "out", split="test")
    with pytest.raises(ImportedFeaturesError, match="6 missing"):
        house.bring(done.directory, model=None, normalized=None)


def test_an_export_that_left_rows_out_does_not_come_back(house, tmp_path, monkeypatch):
    """Rows without data are no features: the images behind them are named as what to repair."""
    seven = np.arange(12) == 7
    monkeypatch.setattr(
        export, "select_rows", lambda *a, valid, **k: select_rows(*a, valid=valid & ~seven, **k)
    )
    done = house.export(tmp_path / "out")
    monkeypatch.undo()
    assert done.left_out == (house.inputs().index.paths[7],)
    with pytest.raises(ImportedFeaturesError, match=r"1 missing.*left 1 row without data out"):
        house.bring(done.directory, model=None, normalized=None)


def test_metadata_that_was_changed_is_refused(house, tmp_path):
    """An export whose metadata lost a part is no traceable one."""
    file = house.export(tmp_path / "out").directory / "images.parquet"
    table = pq.read_table(file)
    said = json.loads(table.schema.metadata[b"w2s_cache.export"])
    del said["stores"]["image"]
    pq.write_table(table.replace_schema_metadata({"w2s_cache.export": json.dumps(said)}), file)
    with pytest.raises(ImportedFeaturesError, match="metadata of an export that was changed"):
        house.bring(file, model=None, normalized=None)


@pytest.mark.parametrize("name", ["images", "text"])
@pytest.mark.parametrize(
    "place",
    [
        "stores/text/key/logit_scale",
        "stores/text/key/logit_bias",
        "stores/text/key_digest",
        "stores/logits/key",
        "stores/image",
        "images_digest",
        "normalized",
        "left_out",
    ],
)
def test_whatever_an_import_takes_from_an_export_is_looked_at(house, tmp_path, name, place):
    """A fact that is absent, or of another type, is metadata that was changed, in either file."""
    folder = house.export(tmp_path / "out").directory
    table = pq.read_table(folder / f"{name}.parquet")
    *above, last = place.split("/")
    for value in (None, [], "100"):
        said = facts = json.loads(table.schema.metadata[b"w2s_cache.export"])
        for part in above:
            facts = facts[part]
        if facts[last].__class__ is value.__class__:
            continue
        facts[last] = value
        changed = table.replace_schema_metadata({"w2s_cache.export": json.dumps(said)})
        pq.write_table(changed, folder / f"{name}.parquet")
        with pytest.raises(ImportedFeaturesError, match="metadata of an export that was changed"):
            house.bring(folder, text=folder / "text.parquet", model=None, normalized=None)
