"""Names of models on the command line."""

from __future__ import annotations

import pytest

from w2s_cache.sections import strong_section_of
from w2s_cache.spec_files import load_spec
from w2s_cache_cli.models import strong_names

KNOWN = {"vit-b-32", "vit-b-16", "theirs", "mine", "RN50,cc12m"}


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["ViT-B-32,laion2b"], ["ViT-B-32,laion2b"]),
        (["ViT-B-32,laion2b", "RN50,openai"], ["ViT-B-32,laion2b", "RN50,openai"]),
        (["vit-b-32, vit-b-16,vit-b-32"], ["vit-b-32", "vit-b-16"]),
        (["vit-b-32,ViT-B-32,laion2b,theirs"], ["vit-b-32", "ViT-B-32,laion2b", "theirs"]),
        (["theirs,mine"], ["theirs", "mine"]),
        (["new,vit-b-32", "vit-b-32,new"], ["new", "vit-b-32"]),
        (["hf-hub:a/b,RN50,openai,c/d"], ["hf-hub:a/b", "RN50,openai", "c/d"]),
        (["RN50,cc12m", " ,"], ["RN50,cc12m"]),
        ([], []),
    ],
)
def test_the_comma_of_a_name_is_none_between_names(values, names):
    """`ARCH,TAG` is whole, known names are parted at commas, and both stand in one value."""
    assert list(strong_names(values, KNOWN)) == names


def test_names_written_with_commas_are_read_again_as_they_were():
    """What a message joins to one value means the same encoders when it is pasted."""
    names = ("ViT-B-32,laion2b", "vit-b-16", "RN50,openai", "theirs")
    assert strong_names([",".join(names)], KNOWN) == names


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--strong", "RN50,openai"), "no features of RN50,openai and net"),
        (("--strong", "clip,RN50,openai"), "no features of RN50,openai and net"),
        (("--strong", "clop"), "Did you mean 'clip'"),
    ],
)
def test_a_sweep_asks_for_an_encoder_by_its_whole_name(cached, w2s, tmp_path, asked, said):
    """An encoder of open_clip that was not extracted is missed under the name that was given."""
    where = ("--spec", cached.spec, "--cache-dir", cached.cache, "--results-dir", tmp_path)
    told = w2s("sweep", *where, *asked, "--method", "weak")
    assert told.exit_code == 1
    assert said in told.stderr


def test_the_encoder_that_ships_here_needs_no_section():
    """What works without a network works with every spec; unknown names mean imported features."""
    spec = load_spec("domainnet")
    assert "pocket-clip" not in spec.strong
    name, section = strong_section_of(spec, "pocket-clip")
    assert (name, section.library, section.model) == ("pocket-clip", "open_clip", "pocket-clip")
    assert strong_section_of(spec, "pocket-clap")[1].library == "imported"
