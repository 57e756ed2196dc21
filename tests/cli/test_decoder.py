"""`--decoder`: chosen on the command line or in the spec, and never mixed."""

from __future__ import annotations

import json

import pytest

from w2s_cache.errors import StaleStoreError
from w2s_cache.loading import load_domain
from w2s_cache.store.contents import list_stores


def stores(cache, kind):
    """Keys of all stores of a kind, by decoder."""
    keys = [dict(entry.manifest.key) for entry in list_stores(cache)]
    return {key["encoder"]["preprocess"]["decoder"]: key for key in keys if key["kind"] == kind}


def test_features_of_two_decoders_lie_beside_each_other(place, tmp_path, w2s):
    """Each has stores of its own whose keys differ in the decoder; text features are shared."""
    where = ("--spec", place.spec, "--cache-dir", tmp_path, "--domain", "art")
    assert w2s("extract", *where).exit_code == 0
    told = w2s("extract", *where, "--decoder", "fast")
    assert told.exit_code == 0, told.output
    assert "features 60 computed, logits 60 computed, text reused" in told.stdout
    for kind in ("image", "logits"):
        found = stores(tmp_path, kind)
        assert set(found) == {"pillow", "fast"}
        assert found["fast"]["images"] == found["pillow"]["images"]


def test_training_asks_for_the_decoder_of_the_features(place, tmp_path, w2s):
    """Features of the fast decoder are refused where it is not asked for, and taken where it is."""
    where = ("--spec", place.spec, "--cache-dir", tmp_path, "--domain", "art")
    assert w2s("extract", *where, "--decoder", "fast").exit_code == 0
    train = ("train", *where, "--method", "weak", "--results-dir", tmp_path / "results")
    refused = w2s(*train)
    assert refused.exit_code == 1
    assert 'expected strong.decoder = "pillow", weak.decoder = "pillow"' in refused.stderr
    assert 'found strong.decoder = "fast", weak.decoder = "fast"' in refused.stderr
    assert w2s(*train, "--decoder", "fast").exit_code == 0


def test_a_spec_names_the_decoder(place, tmp_path, w2s):
    """`decoder` in a section; another word is refused with those there are."""
    text = place.text.replace('library = "open_clip"', 'library = "open_clip"\ndecoder = "fast"')
    (tmp_path / "fast.toml").write_text(text, encoding="utf-8")
    shown = w2s("specs", "show", tmp_path / "fast.toml").stdout
    assert json.loads(shown)["strong"]["clip"]["decoder"] == "fast"
    (tmp_path / "odd.toml").write_text(text.replace('"fast"', '"turbo"'), encoding="utf-8")
    told = w2s("specs", "show", tmp_path / "odd.toml")
    assert told.exit_code == 1
    assert "'pillow' or 'fast'" in told.stderr


def test_python_reads_what_another_decoder_made(place, tmp_path, w2s):
    """`load_domain` takes decoder and precision as the commands do; without, it is refused."""
    home = tmp_path / "cache"
    asked = ("--spec", place.spec, "--cache-dir", home, "--domain", "art", "--decoder", "fast")
    assert w2s("extract", *asked).exit_code == 0
    loaded = load_domain(place.spec, "art", decoder="fast", cache_dir=home)
    assert len(loaded.features) == 60
    with pytest.raises(StaleStoreError, match="decoder"):
        load_domain(place.spec, "art", cache_dir=home)


def test_a_sweep_trains_on_what_another_decoder_made(place, tmp_path, w2s):
    """Options beside the spec are those of train."""
    asked = ("--spec", place.spec, "--cache-dir", tmp_path / "c", "--decoder", "fast")
    assert w2s("extract", *asked).exit_code == 0
    told = w2s("sweep", *asked, "--results-dir", tmp_path / "r", "--methods", "cpl", "--seeds", 0)
    assert told.exit_code == 0, told.output
    assert told.stdout.count("cpl") == 2
