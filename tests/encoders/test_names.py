"""Laws of the spellings of open_clip models."""

from __future__ import annotations

import open_clip
import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s_cache.encoders.names import split_model_name

WORDS = st.text("abcXYZ0189-_.", min_size=1)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("ViT-B-32-quickgelu,openai", ("ViT-B-32-quickgelu", "openai")),
        ("ViT-B-32:laion2b_s34b_b79k", ("ViT-B-32", "laion2b_s34b_b79k")),
        ("ViT-B/16,openai", ("ViT-B-16", "openai")),
        (" ViT-B-32 , openai ", ("ViT-B-32", "openai")),
        ("ViT-B/32", ("ViT-B-32-quickgelu", "openai")),
        ("ViT-L/14@336px", ("ViT-L-14-336-quickgelu", "openai")),
        ("RN50x16", ("RN50x16-quickgelu", "openai")),
        ("hf-hub:org/repo", ("hf-hub:org/repo", None)),
        ("local-dir:/models/a,b", ("local-dir:/models/a,b", None)),
        ("ViT-B-32", ("ViT-B-32", None)),
        (" pocket-clip ", ("pocket-clip", None)),
    ],
)
def test_every_documented_spelling_is_understood(name: str, parts: tuple[str, str | None]) -> None:
    """Each spelling of the module's docstring gives its architecture and tag."""
    assert split_model_name(name) == parts


@pytest.mark.parametrize("name", ["RN50", "RN101", "ViT-B/32", "ViT-B/16", "ViT-L/14@336px"])
def test_openai_spellings_mean_models_that_exist(name: str) -> None:
    """What OpenAI's spellings map to is known to open_clip, tag and all."""
    architecture, tag = split_model_name(name)
    assert tag in open_clip.list_pretrained_tags_by_model(architecture)


@given(WORDS, WORDS)
def test_comma_and_colon_mean_the_same(architecture: str, tag: str) -> None:
    """ARCH,TAG and ARCH:TAG are one spelling and lose nothing."""
    found = split_model_name(f"{architecture},{tag}")
    assert found == split_model_name(f"{architecture}:{tag}") == (architecture, tag)
