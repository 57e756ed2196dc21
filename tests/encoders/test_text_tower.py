"""Laws of the re-attached text tower: what the model itself would say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import open_clip
import pytest
import torch
from open_clip.model import CLIP, CustomTextCLIP
from torch import Tensor, nn

from w2s_cache.encoders.openclip import OpenClipEncoder
from w2s_cache.encoders.text_tower import OpenClipTextTower, attach_text_tower
from w2s_cache.errors import EncoderError
from w2s_cache.heads.prompt_packing import encode_shared
from w2s_cache.heads.prompts import PromptRecipe, attach_prompts, start_context

TOKENIZER = open_clip.SimpleTokenizer(context_length=24)
VISION = {"image_size": 8, "patch_size": 4, "width": 16, "layers": 1, "head_width": 8}
TEXT = {"context_length": 24, "width": 32, "heads": 4, "layers": 2}
PROMPTS = ("a photo of a cat.", "a photo of a hot air balloon.", "a photo of the dog", "cat")
END = 49407  # the end token of CLIP's vocabulary

CAUSAL: dict[str, dict[str, Any]] = {
    "as CLIP": {},
    "end by id": {"pool_type": "eos", "eos_id": END},
    "last position": {"pool_type": "last"},
    "layer scale": {"ls_init_value": 0.3},
    "projection with bias": {"proj_bias": True},
    "no projection": {"proj_type": "none"},
}
OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "as SigLIP": ({"no_causal_mask": True, "pool_type": "last"}, "not causal"),
    "as CoCa": ({"embed_cls": True}, "class token"),
    "first position": ({"pool_type": "first"}, "pools by 'first'"),
    "other layers": ({"scale_fc": True}, "CustomResidualAttentionBlock"),
}


def encoder_of(network: Any) -> OpenClipEncoder:
    """Wraps a network as an encoder."""
    return OpenClipEncoder(
        architecture="ViT-B-32",
        network=network.double().eval().requires_grad_(False),
        image_weights="",
        text_weights="",
        transform=lambda image: image,
        tokenizer=TOKENIZER,
        precision="fp32",
        device="cpu",
    )


def tiny(kind: type = CLIP, **changed: Any) -> OpenClipTextTower:
    """The tower of a tiny model with random weights, biases and norms included."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = kind(16, VISION, {**TEXT, **changed}, quick_gelu=True)
        for value in network.parameters():
            value.data += 0.05 * torch.randn_like(value)
    return replace(attach_text_tower(encoder_of(network)), tokenizer=TOKENIZER)


def packed(tower: OpenClipTextTower, tokens: Tensor, prefix: int) -> Tensor:
    """Each prompt a block of its own behind the first ``prefix`` tokens of the first prompt."""
    embedded, sizes = tower.embed(tokens), tower.lengths(tokens).tolist()
    blocks = [embedded[[k], prefix:size] for k, size in enumerate(sizes)]
    return encode_shared(tower, embedded[0, :prefix], blocks)


@pytest.mark.parametrize("kind", [CLIP, CustomTextCLIP])
@pytest.mark.parametrize("changed", CAUSAL.values(), ids=CAUSAL)
def test_plain_prompts_have_the_features_of_the_model(
    kind: type, changed: Mapping[str, Any]
) -> None:
    """A causal tower taken apart gives encode_text's features, whatever is shared."""
    tower = tiny(kind, **changed)
    tokens = TOKENIZER(list(PROMPTS))
    expected = tower.network.encode_text(tokens)
    assert tower.shares
    for prefix, rows in ((0, tokens), (1, tokens), (4, tokens[:3])):
        torch.testing.assert_close(
            packed(tower, rows, prefix), expected[: len(rows)], rtol=1e-10, atol=1e-12
        )


@pytest.mark.parametrize(("changed", "reason"), OTHERS.values(), ids=OTHERS)
def test_other_towers_run_whole_and_say_why(changed: Mapping[str, Any], reason: str) -> None:
    """No shortcut where it would not be exact: features are encode_text's, the reason is given."""
    tower = tiny(CustomTextCLIP, **changed)
    recipe = PromptRecipe(words="a photo of a")
    head = attach_prompts(recipe, tower, ["cat", "hot_air_balloon", "dog"])
    context = start_context(head, torch.Generator())["context"].requires_grad_()
    features = head.text_features({"context": context})
    written = [f"a photo of a {name}." for name in ("cat", "hot air balloon", "dog")]
    torch.testing.assert_close(features, tower.network.encode_text(TOKENIZER(written)))
    assert not tower.shares
    assert reason in tower.shortcut


def test_a_mask_that_is_not_causal_is_noticed() -> None:
    """A model whose mask was replaced does not pass for a causal one."""
    network = tiny().network
    network.attn_mask[0, 3] = 0.0
    assert "not the causal one" in attach_text_tower(encoder_of(network)).shortcut


@pytest.mark.parametrize("kind", [CLIP, CustomTextCLIP])
def test_whole_prompts_take_embeddings_and_leave_the_model_alone(kind: type) -> None:
    """Given embeddings replace the look-up in that call only, and gradients reach them."""
    tower = tiny(kind)
    tokens = TOKENIZER(list(PROMPTS))
    expected = tower.network.encode_text(tokens)
    other = tower.embed(tokens.flip(0)).requires_grad_()
    moved = tower.encode_whole(tokens, other)
    moved.sum().backward()
    assert not torch.allclose(moved, expected)
    assert other.grad is not None
    assert all(value.grad is None for value in tower.network.parameters())
    assert torch.equal(tower.encode_whole(tokens, tower.embed(tokens)), expected)
    assert torch.equal(tower.network.encode_text(tokens), expected)


def test_lengths_end_with_the_token_that_is_read() -> None:
    """Up to the end token for CLIP's two ways of finding it, everything for the last position."""
    tokens = TOKENIZER(["cat", "cat cat cat"])
    assert tiny().lengths(tokens).tolist() == [3, 5]
    assert tiny(pool_type="eos", eos_id=END).lengths(tokens).tolist() == [3, 5]
    assert tiny(pool_type="last").lengths(tokens).tolist() == [24, 24]


def test_an_encoder_lends_its_tokenizer_and_scale() -> None:
    """The tower tokenizes and scales as the encoder's text tower does."""
    encoder = encoder_of(CLIP(16, VISION, TEXT, init_logit_scale=3.0))
    tower = attach_text_tower(encoder)
    assert torch.equal(tower.tokenize(PROMPTS), encoder.text.tokenize(PROMPTS))
    assert tower.logit_scale == pytest.approx(20.085536923187668)  # e³


def test_a_foreign_text_tower_is_refused() -> None:
    """A text tower that is not open_clip's own is an error that names what it is."""
    network = CLIP(16, VISION, TEXT)
    network.text = nn.Linear(2, 2)
    with pytest.raises(EncoderError, match="found Linear"):
        attach_text_tower(encoder_of(network))
