"""Laws of the paper's networks as the shipped specs name them."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub.utils
import open_clip
import pytest
import timm

from w2s_cache.encoders import openclip
from w2s_cache.encoders.names import split_model_name
from w2s_cache.spec_files import load_spec

SPECS = ("domainnet", "officehome")
PAGE = Path(__file__).parents[2] / "docs" / "backbones.md"


@pytest.mark.parametrize("name", SPECS)
def test_every_network_of_the_paper_is_a_section(name: str) -> None:
    """Li et al., Tables 1, 3, 4 and 5: three CLIPs and BLIP, five weak networks; defaults first."""
    spec = load_spec(name)
    assert list(spec.strong) == ["vit-b-32", "vit-b-16", "vit-l-14", "blip"]
    weak = ["resnet18", "resnet26", "resnet34", "cvt-13", "convnext-tiny"]
    assert list(spec.weak) == weak
    assert all(section.pretrained for section in spec.weak.values())


@pytest.mark.parametrize("name", SPECS)
def test_every_name_exists_in_its_library(name: str) -> None:
    """Published weights stand behind each CLIP and timm name; hub names are well formed."""
    spec = load_spec(name)
    for section in (*spec.strong.values(), *spec.weak.values()):
        if section.library == "open_clip":
            architecture, tag = split_model_name(section.model)
            openclip._refuse_unknown(architecture, tag, tag=tag)
        elif section.library == "timm":
            assert section.model in timm.list_pretrained()
        else:
            assert section.library == "transformers"
            huggingface_hub.utils.validate_repo_id(section.model)


def test_there_is_no_vit_l_16_to_take() -> None:
    """Why ViT-L-14 stands in: open_clip has weights of a ViT-L-16 for SigLIP alone."""
    published = {architecture for architecture, _ in open_clip.list_pretrained()}
    found = {name for name in published if name.startswith("ViT-L-16")}
    assert found
    assert all("SigLIP" in name for name in found)


def test_the_page_names_what_the_specs_name() -> None:
    """Every model of the two specs stands in docs/backbones.md."""
    text = PAGE.read_text(encoding="utf-8")
    sections = [s for name in SPECS for s in (load_spec(name).strong, load_spec(name).weak)]
    missing = {s.model for section in sections for s in section.values() if s.model not in text}
    assert missing == set()
