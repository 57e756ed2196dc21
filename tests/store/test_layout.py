"""Laws of slugs and of places."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2s_cache.errors import StoreError
from w2s_cache.store.layout import domain_path, index_path, slug, store_path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("RN50", "RN50"),
        ("ViT-B-32:openai", "ViT-B-32@openai"),
        ("hf-hub:timm/ViT-B-16-SigLIP", "hf-hub@timm+ViT-B-16-SigLIP"),
        ("real_world", "real_world"),
    ],
)
def test_slugs_of_usual_names_are_readable(name: str, expected: str) -> None:
    """Names of models and domains stay recognisable; golden forms follow the written rule."""
    assert slug(name) == expected


NAMES = st.text(max_size=80) | st.from_regex(r"[A-Za-z:/_.@+-]{0,12}", fullmatch=True)


@settings(deadline=None)
@given(NAMES)
def test_every_slug_is_one_safe_path_component(name: str) -> None:
    """No slug has a separator, a dot at an end, a double underscore or surprising length."""
    made = slug(name)
    assert made
    assert all(c.isascii() and (c.isalnum() or c in "._-@+") for c in made)
    assert made[0].isalnum()
    assert made[-1].isalnum()
    assert ".." not in made
    assert "__" not in made
    assert len(made) <= 64


@settings(deadline=None)
@given(NAMES, NAMES)
def test_different_names_have_different_slugs(a: str, b: str) -> None:
    """Slugs keep names apart."""
    assert (slug(a) == slug(b)) == (a == b)


@pytest.mark.parametrize(
    "name", ["", "..", "../up", "a/../b", "/abs", "con", "NUL.txt", "text", "ü", "a__b"]
)
def test_awkward_names_get_a_hash(name: str) -> None:
    """Names that could not be kept as they are carry 8 digits of their hash."""
    assert len(slug(name).rpartition("-")[2]) == 8


def test_places_of_stores() -> None:
    """Image and logits stores lie below their domain, text stores beside the domains."""
    home, key = Path("/home"), "0123456789abcdef"
    image = store_path(
        home, dataset="domainnet", domain="real", kind="image", name="RN50:openai", key_digest=key
    )
    text = store_path(home, dataset="domainnet", kind="text", name="RN50:openai", key_digest=key)
    assert image == home / "v1/domainnet/real/image/RN50@openai-0123456789ab"
    assert text == home / "v1/domainnet/text/RN50@openai-0123456789ab"


@pytest.mark.parametrize("domain", ["text", "Text"])
def test_no_domain_lies_where_the_texts_of_its_data_set_lie(domain: str) -> None:
    """A domain called text has a folder of its own, also where letters have no case."""
    home, names = Path("/home"), {"dataset": "d", "name": "m", "key_digest": "0" * 64}
    texts = store_path(home, kind="text", **names).parent.as_posix().lower()
    image = store_path(home, kind="image", domain=domain, **names)
    for place in (image, index_path(home, "d", domain), domain_path(home, "d", domain)):
        assert not f"{place.as_posix()}/".lower().startswith(f"{texts}/")


@pytest.mark.parametrize(("kind", "domain"), [("image", None), ("text", "real"), ("audio", "real")])
def test_a_store_without_a_place_is_refused(kind: str, domain: str | None) -> None:
    """A kind that needs a domain cannot do without, and the other way round."""
    with pytest.raises(StoreError, match="cannot be placed"):
        store_path(Path(), dataset="d", domain=domain, kind=kind, name="m", key_digest="0" * 64)
