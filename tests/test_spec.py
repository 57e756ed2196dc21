"""Laws of spec files."""

from __future__ import annotations

from pathlib import Path

import pydantic
import pytest

from w2s_cache.errors import SpecError, UnknownNameError
from w2s_cache.spec import Spec, choose, parse_spec
from w2s_cache.spec_files import load_spec, spec_directory, spec_names

MINIMAL = """
name = "mine"
title = "Mine"
[data]
format = "class-folders"
[strong.clip]
model = "ViT-B-32,openai"
[weak.small]
model = "resnet18"
"""


def refused(text: str) -> SpecError:
    """The error of a text."""
    with pytest.raises(SpecError) as caught:
        parse_spec(text, origin="mine.toml")
    return caught.value


def test_the_minimal_spec_has_the_papers_recipe() -> None:
    """Defaults are Li et al.'s, §4.1: weak model 3 epochs, 512, 1e-3; heads 10, 512, 1e-2."""
    spec = parse_spec(MINIMAL, origin="mine.toml")
    weak, train = spec.weak["small"].finetune, spec.train
    assert (weak.epochs, weak.batch_size, weak.lr, weak.optimizer) == (3, 512, 1e-3, "adam")
    assert (train.epochs, train.batch_size, train.lr, train.optimizer) == (10, 512, 1e-2, "adam")
    assert (weak.warmup_ratio, train.warmup_ratio) == (0.1, 0.1)
    assert (spec.protocol.hold_fraction, spec.protocol.fit_fraction) == (0.8, 0.8)


@pytest.mark.parametrize("name", spec_names())
def test_every_shipped_spec_loads_under_its_own_name(name: str) -> None:
    """The file's name is the spec's name, and its path loads the same value."""
    spec = load_spec(name)
    assert spec.name == name
    assert load_spec(str(spec_directory() / f"{name}.toml")) == spec


def test_there_are_shipped_specs() -> None:
    """At least the paper's data sets, the embedded one and the user's own folder are there."""
    assert {"domainnet", "officehome", "pocket", "folder"} <= set(spec_names())


@pytest.mark.parametrize(
    ("wrong", "where", "nearest"),
    [
        ("titel = 'x'\n" + MINIMAL, "titel", "title"),
        (MINIMAL + "[store]\ndtyp = 'float16'", "store.dtyp", "dtype"),
        (MINIMAL + "[strong.b]\nmodell = 'x'\nmodel = 'x'", "strong.b.modell", "model"),
        (MINIMAL + "[weak.small.finetune]\nepoch = 3", "weak.small.finetune.epoch", "epochs"),
        (MINIMAL + "[protocol]\nfold_fraction = 0.5", "protocol.fold_fraction", "hold_fraction"),
        (MINIMAL + "[trian]\nlr = 1", "trian", "train"),
    ],
)
def test_a_misspelt_key_is_offered_the_nearest(wrong: str, where: str, nearest: str) -> None:
    """At every depth an unknown key is refused by path with the nearest key of its table."""
    error = refused(wrong)
    assert error.what == "mine.toml has 1 problem(s)"
    assert error.found.startswith(f"unknown key {where!r} (Did you mean '{nearest}'")


def test_a_key_like_no_other_gets_the_list() -> None:
    """Where nothing is near, all keys of the table are shown."""
    assert (
        "unknown key 'store.zzz' (known: dtype, shard_rows)"
        in refused(MINIMAL + "[store]\nzzz = 1").found
    )


@pytest.mark.parametrize(
    ("addition", "where"),
    [
        ("[store]\nshard_rows = 'many'", "store.shard_rows"),
        ("[store]\nshard_rows = 0", "store.shard_rows"),
        ("[store]\nshard_rows = 1.5", "store.shard_rows"),
        ("[store]\ndtype = 'float64'", "store.dtype"),
        ("[train]\nlr = -1.0", "train.lr"),
        ("[train]\nlr = inf", "train.lr"),
        ("[train]\nweight_decay = nan", "train.weight_decay"),
        ("[train]\nwarmup_ratio = 1.0", "train.warmup_ratio"),
        ("[protocol]\nseeds = []", "protocol.seeds"),
        ("[protocol]\nseeds = [0, 'x']", "protocol.seeds.1"),
        ("[protocol]\nhold_fraction = 1.0", "protocol.hold_fraction"),
        ("[weak.b]\nmodel = 3", "weak.b.model"),
        ("[weak.b]\nmodel = 'x'\nlibrary = 'keras'", "weak.b.library"),
        ("[strong.b]\nmodel = 'x'\nprecision = 'int8'", "strong.b.precision"),
        ("[strong]\nb = 3", "strong.b"),
        ("[strong.b]\nmodel = 'x'\ntemplates = []", "strong.b.templates"),
        ("[strong.b]\nmodel = 'x'\ntemplates = 'plain'", "strong.b.templates"),
        ("[train]\nepochs = '5'", "train.epochs"),
        ("[train]\nepochs = true", "train.epochs"),
        ("[train]\nepochs = 5.0", "train.epochs"),
        ("[train]\nlr = '0.1'", "train.lr"),
        ("[train]\nlr = true", "train.lr"),
        ("[protocol]\nseeds = ['0']", "protocol.seeds.0"),
        ("[protocol]\nseeds = [true]", "protocol.seeds.0"),
        ("[protocol]\nsplit_seed = '3'", "protocol.split_seed.int"),
        ("[weak.b]\nmodel = 'x'\npretrained = 'yes'", "weak.b.pretrained"),
        ("[weak.b]\nmodel = 'x'\n[weak.b.finetune]\nflip = 1", "weak.b.finetune.flip"),
    ],
)
def test_a_value_of_the_wrong_type_or_range_is_named(addition: str, where: str) -> None:
    """The path, what should be and what is there are in the message."""
    text = MINIMAL.replace("[strong.clip]", "[strong.clip]", 1) + addition
    if addition.startswith("[strong]"):
        text = MINIMAL.replace('[strong.clip]\nmodel = "ViT-B-32,openai"', addition)
    assert f"{where!r}: " in refused(text).found
    assert "(it is " in refused(text).found


def test_an_integer_is_a_number() -> None:
    """Where a fraction or a rate is asked for, an integer in range will do."""
    assert parse_spec(MINIMAL + "[train]\nlr = 1", origin="x").train.lr == 1.0


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ('name = "mine"', "name"),
        ('format = "class-folders"', "data.format"),
        ('model = "ViT-B-32,openai"', "strong.clip.model"),
        ('[weak.small]\nmodel = "resnet18"', "weak"),
    ],
)
def test_a_missing_key_is_named(line: str, where: str) -> None:
    """What has no default must be there."""
    assert f"missing key {where!r}" in refused(MINIMAL.replace(line, "")).found


def test_all_problems_are_listed_at_once() -> None:
    """Nobody mends one line to learn of the next."""
    error = refused(MINIMAL.replace("title", "titel") + "[store]\nshard_rows = 0\ndtyp = 'x'")
    assert error.what == "mine.toml has 4 problem(s)"
    for said in ("missing key 'title'", "'titel'", "'store.shard_rows'", "'store.dtyp'"):
        assert said in error.found


@pytest.mark.parametrize("text", ["name = ", "[data", "a = 1\na = 2", "just words"])
def test_what_is_not_toml_is_said_with_its_place(text: str) -> None:
    """The parser's line and column, or the end of the document, are passed on."""
    error = refused(text)
    assert error.what == "mine.toml is not TOML"
    assert "(at " in error.found


def test_a_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are a sentence, not a traceback."""
    (tmp_path / "x.toml").write_bytes(b"name = '\xff\xfe'")
    with pytest.raises(SpecError, match="is not TOML"):
        load_spec(str(tmp_path / "x.toml"))


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    """A path that leads nowhere is named."""
    with pytest.raises(SpecError, match="no spec at") as caught:
        load_spec(str(tmp_path / "absent.toml"))
    assert "w2s-cache specs" in caught.value.fix


def test_an_unknown_spec_is_offered_the_nearest() -> None:
    """A misspelt name of a shipped spec is refused with its neighbour."""
    with pytest.raises(UnknownNameError, match="Did you mean 'domainnet'"):
        load_spec("domain-net")


def test_a_spec_cannot_be_changed() -> None:
    """Values are frozen."""
    spec = parse_spec(MINIMAL, origin="x")
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        spec.store.dtype = "float16"


@pytest.mark.parametrize("name", ["../up", "Upper", "a b", ""])
def test_a_name_is_a_plain_file_name(name: str) -> None:
    """A spec's name becomes a folder of the cache, so it is plain."""
    assert "'name'" in refused(MINIMAL.replace('"mine"', f'"{name}"')).found


def test_a_section_is_chosen_by_name_or_is_the_first() -> None:
    """Without a name the first section in the file is taken; an unknown one is refused."""
    sections = parse_spec(MINIMAL + "[strong.a]\nmodel = 'x'", origin="x").strong
    assert choose("strong encoder", None, sections)[0] == "clip"
    assert choose("strong encoder", "a", sections) == ("a", sections["a"])
    with pytest.raises(UnknownNameError, match="unknown strong encoder"):
        choose("strong encoder", "b", sections)


def test_the_model_of_a_spec_is_the_parsed_one() -> None:
    """Parsing a dump of a spec gives the spec again."""
    spec = load_spec("domainnet")
    assert Spec.model_validate(spec.model_dump()) == spec
