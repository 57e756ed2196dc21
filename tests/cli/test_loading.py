"""Laws of reading the cache from Python: the defaults and refusals of the command line."""

from __future__ import annotations

import numpy as np
import pytest

from w2s_cache.errors import StaleStoreError, StoreError, UnknownNameError
from w2s_cache.loading import load_domain
from w2s_cache.spec_files import load_spec


def test_a_spec_may_be_a_path_or_a_value_and_the_home_a_text(cached):
    """Whatever names the spec and the home, the rows are those of the index."""
    spec = load_spec(str(cached.spec))
    for named in (cached.spec, str(cached.spec), spec):
        found = load_domain(named, "art", cache_dir=str(cached.cache))
        assert found.features.shape[0] == len(found.index) == 60
        assert found.weak_logits.shape == (60, 3)
        assert found.text is not None
        assert found.text.norm(dim=1).numpy() == pytest.approx(np.ones(3), abs=1e-6)


def test_the_home_is_the_command_line_s(cached, monkeypatch, tmp_path):
    """W2S_CACHE_HOME is read, and an argument comes before it."""
    monkeypatch.setenv("W2S_CACHE_HOME", str(cached.cache))
    assert len(load_domain(cached.spec, "art").index) == 60
    with pytest.raises(StoreError, match="none in the cache"):
        load_domain(cached.spec, "art", cache_dir=tmp_path)


def test_local_weights_are_those_of_the_environment(cached, monkeypatch, tmp_path):
    """What a command would call other settings is that in Python too."""
    (tmp_path / "other.safetensors").write_bytes(b"other")
    monkeypatch.setenv("W2S_STRONG_CHECKPOINT", str(tmp_path / "other.safetensors"))
    with pytest.raises(StaleStoreError, match=r"strong\.checkpoint"):
        load_domain(cached.spec, "art", cache_dir=cached.cache)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ({"spec": "pockt"}, "spec"),
        ({"spec": "pocket", "domain": "reel"}, "domain of pocket"),
        ({"strong": "clop"}, "strong encoder"),
        ({"weak": "nett"}, "weak model"),
    ],
)
def test_unknown_names_are_offered_the_nearest(cached, names, kind):
    """Misspelt names are refused as on the command line."""
    asked = {"spec": cached.spec, "domain": "art", "cache_dir": cached.cache, **names}
    with pytest.raises(UnknownNameError, match="Did you mean") as caught:
        load_domain(**asked)
    assert caught.value.kind == kind


def test_a_domain_that_was_not_extracted_is_said(cached):
    """A declared domain without features gets the command that makes them."""
    with pytest.raises(StoreError, match="extract --spec pocket --domain sketch"):
        load_domain("pocket", "sketch", cache_dir=cached.cache)


def test_what_is_loaded_is_short_to_read(cached):
    """Shapes and counts in one line, no numbers of the tensors and no paths."""
    inputs = load_domain(str(cached.spec), "art", cache_dir=cached.cache)
    shown = repr(inputs)
    assert len(shown) < 300
    assert "Index(tiny/art: 60 rows, 24 of them train, 3 classes, " in shown
    assert "features=(60, 128), weak_logits=(60, 3), text=(3, 128), valid=60 of 60" in shown


def test_a_misspelt_domain_of_a_spec_that_declares_none_is_offered_the_nearest(cached, tmp_path):
    """The cache knows the names; where it knows none, a whole command is named. Nothing chained."""
    with pytest.raises(UnknownNameError, match="Did you mean 'photo'") as caught:
        load_domain(cached.spec, "fhoto", cache_dir=cached.cache)
    assert f"`w2s-cache extract --spec {cached.spec} --strong clip --weak net`" in str(caught.value)
    with pytest.raises(StoreError, match=f"extract --spec {cached.spec}") as empty:
        load_domain(cached.spec, "art", cache_dir=tmp_path)
    assert (caught.value.__context__, empty.value.__context__) == (None, None)
