"""The tuned text encoder: the tower's own features, with a gradient for its weights."""

from __future__ import annotations

import copy
from dataclasses import replace

import open_clip
import pytest
import torch

from w2s_cache.encoders.openclip import OpenClipEncoder
from w2s_cache.encoders.text_tower import attach_text_tower
from w2s_cache.errors import TrainError
from w2s_cache.heads.text_encoder import TextEncoderRecipe

NAMES = ("cat", "aircraft_carrier", "hot_air_balloon", "dog")


@pytest.fixture(scope="module")
def tower(text_tower):
    """The tiny tower in float64."""
    network = copy.deepcopy(text_tower.network).double()
    return attach_text_tower(
        OpenClipEncoder(
            architecture="ViT-B-32",
            network=network,
            image_weights="",
            text_weights="",
            transform=lambda image: image,
            tokenizer=text_tower.tokenizer,
            precision="fp32",
            device="cpu",
        )
    )


def features_and_gradient(head):
    """Class features of the pretrained weights, and the gradient of a sum of squares of logits."""
    weights = {name: value.clone().requires_grad_() for name, value in head.tower.weights().items()}
    features = head.text_features(weights)
    direction = torch.randn(8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (features @ direction).square().sum().backward()
    return features.detach(), {name: value.grad for name, value in weights.items()}


def test_pretrained_weights_give_the_models_own_text_features(tower):
    """Before training the class vectors are `encode_text` of the template, to float64 rounding."""
    head = TextEncoderRecipe().attach(tower, NAMES)
    texts = [f"a photo of a {name.replace('_', ' ')}" for name in NAMES]
    expected = tower.network.encode_text(open_clip.SimpleTokenizer()(texts))
    torch.testing.assert_close(head.text_features(tower.weights()), expected)


def test_the_shortcut_has_the_gradient_of_whole_prompts(tower):
    """Sharing the template's beginning changes no gradient of any weight: 1e-10 relative."""
    short = TextEncoderRecipe().attach(tower, NAMES)
    whole = TextEncoderRecipe().attach(replace(tower, obstacle="the test asks"), NAMES)
    (one, gradients), (other, expected) = map(features_and_gradient, (short, whole))
    torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)
    assert gradients.keys() == expected.keys()
    for name, value in gradients.items():
        torch.testing.assert_close(value, expected[name], rtol=1e-8, atol=1e-10)


def test_image_tower_scale_and_vocabulary_are_not_trained(tower):
    """Only weights behind the token embedding that make text features are parameters."""
    names = set(tower.weights())
    assert not {name for name in names if "visual" in name or "logit" in name}
    assert "token_embedding.weight" not in names
    assert {"positional_embedding", "text_projection", "ln_final.weight"} <= names


def test_logits_are_cosines(tower):
    """Between −1 and 1, without the tower's scale."""
    head = TextEncoderRecipe().attach(tower, NAMES)
    features = torch.randn(5, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    logits = head.logits(tower.weights(), head.prepare(features))
    assert logits.shape == (5, 4)
    assert logits.abs().max() <= 1 + 1e-12


@pytest.mark.parametrize("template", ["a photo", "{} and {}"])
def test_a_template_has_one_place_for_the_name(template):
    """None or two are refused in four parts."""
    with pytest.raises(TrainError, match="where the class name goes") as caught:
        TextEncoderRecipe(template=template)
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))
