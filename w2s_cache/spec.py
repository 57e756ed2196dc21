"""What a spec file may say: TOML → frozen, validated values.

A spec declares data set, protocol, strong encoders, weak models, storage, training and tables.
Every key is typed; one that does not exist is refused with the nearest. Integers become floats.
"""

from __future__ import annotations

import tomllib
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from w2s_cache.errors import UnknownNameError
from w2s_cache.validation import not_toml, validate

SPEC_NAME = r"^[a-z0-9][a-z0-9._-]*$"
Fraction = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0, lt=2**31)]  # what torch takes for a size on any machine
Names = Annotated[tuple[str, ...], Field(strict=False)]  # a list in TOML; what is in it is strict
Seeds = Annotated[tuple[int, ...], Field(strict=False)]
Precision = Literal["fp32", "bf16", "fp16"]
Decoder = Literal["pillow", "fast"]
Select = Literal["weak-agreement", "last", "oracle"]
EvalSplit = Literal["held-out", "full-test"]
Choice = TypeVar("Choice")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class DataSpec(_Section):
    """Where images come from and how their folders are read.

    ``format`` is ``"domainnet"`` (official list files) or ``"class-folders"``
    (``<root>/<domain>/<class>/*``). ``source = "pocket"`` draws the embedded data set when no root
    is given. ``test_fraction`` and ``split_seed`` serve data sets without an official split.
    """

    format: Literal["domainnet", "class-folders"]
    source: Literal["disk", "pocket"] = "disk"
    root: str | None = None
    domains: Names = ()
    classes: Names | None = None
    aliases: dict[str, Names] = {}
    test_fraction: Fraction = 0.3
    split_seed: int = 0


class ProtocolSpec(_Section):
    """How D_test is divided and what is reported (Li et al., §4.1).

    D_test → D_hold (``hold_fraction``) and D'_test; D_hold → fit (``fit_fraction``) and val.
    ``split_seed = "run"`` draws the division anew for every run seed; a number fixes it.
    """

    hold_fraction: Fraction = 0.8
    fit_fraction: Fraction = 0.8
    split_seed: int | Literal["run"] = "run"
    seeds: Seeds = Field(default=(0, 1, 2), min_length=1)
    eval_split: EvalSplit = "held-out"
    select: Select = "weak-agreement"


class StrongSpec(_Section):
    """One frozen strong encoder.

    ``model`` is ``ARCH,TAG`` for open_clip, a model name for timm, ``ORG/REPO`` of the hub for
    transformers; ``checkpoint`` is a local weights file (a folder for transformers) that replaces
    the published ones; ``templates`` are names of template sets or literal templates with ``{}``.
    ``anchors = "other-domains"`` gives an image-only encoder class means of the other domains'
    labelled D_train where methods ask for class text. ``decoder = "fast"`` decodes large JPEGs
    small and resizes by torch: nearly the library's own pixels in a third of the time.
    """

    library: str = "open_clip"
    model: str
    checkpoint: str | None = None
    precision: Precision = "fp32"
    decoder: Decoder = "pillow"
    templates: Names = Field(default=("plain",), min_length=1)
    anchors: Literal["none", "other-domains"] = "none"
    batch_size: Count = 256


class FinetuneSpec(_Section):
    """How the weak model learns from D_train with ground truth (Li et al., §4.1: 3, 512, 1e-3).

    ``threads`` fixes how many CPU threads torch uses, on which the numbers of a network trained on
    the CPU depend; left out, it is whatever the process has.
    """

    epochs: Count = 3
    batch_size: Count = 512
    lr: Positive = 1e-3
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    warmup_ratio: Annotated[float, Field(ge=0, lt=1)] = 0.1
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    flip: bool = False
    shift: Annotated[int, Field(ge=0)] = 0
    seed: int = 0
    threads: Count | None = None


class WeakSpec(_Section):
    """One weak model: a classifier of timm or of the hub (transformers) fine-tuned on D_train.

    ``pretrained`` starts from the published weights, ``checkpoint`` from a local file (a folder
    for transformers), neither from scratch. ``image_size`` overrides the size the network was made
    for. ``decoder`` is as for strong encoders, for fine-tuning and prediction alike.
    """

    library: Literal["timm", "transformers"] = "timm"
    model: str
    pretrained: bool = False
    checkpoint: str | None = None
    image_size: Count | None = None
    precision: Precision = "fp32"
    decoder: Decoder = "pillow"
    batch_size: Count = 256
    finetune: FinetuneSpec = FinetuneSpec()


class StoreSpec(_Section):
    """How features are kept; logits are always float32."""

    dtype: Literal["float16", "float32"] = "float32"
    shard_rows: Count = 8192


class TrainSpec(_Section):
    """The paper's recipe (Li et al., §4.1): Adam, 1e-2, 10 epochs, batch 512, warm-up 0.1.

    The paper says "dynamically adjusted" of the learning rate; linear warm-up, then linear decay
    is the default of the library it names. ``methods`` holds hyper-parameters by method name.
    """

    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    lr: Positive = 1e-2
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    epochs: Count = 10
    batch_size: Count = 512
    warmup_ratio: Annotated[float, Field(ge=0, lt=1)] = 0.1
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    methods: dict[str, dict[str, Any]] = {}


class SweepSpec(_Section):
    """What `w2s-cache sweep` runs: methods or groups of methods, and seeds.

    Where one is left out, the spec's ``methods`` and the protocol's seeds are taken.
    """

    methods: Names = ()
    seeds: Seeds = ()


class Spec(_Section):
    """A whole spec file."""

    name: Annotated[str, Field(pattern=SPEC_NAME)]
    title: str
    data: DataSpec
    protocol: ProtocolSpec = ProtocolSpec()
    strong: dict[str, StrongSpec] = Field(min_length=1)
    weak: dict[str, WeakSpec] = Field(min_length=1)
    store: StoreSpec = StoreSpec()
    train: TrainSpec = TrainSpec()
    methods: Names = ()
    sweep: SweepSpec = SweepSpec()
    tables: Names = ("main",)


def parse_spec(text: str, *, origin: str) -> Spec:
    """Reads a spec from TOML text.

    Args:
        text: The TOML document.
        origin: Where it came from, named in errors.

    Raises:
        SpecError: The text is not TOML, a key is unknown, missing or of the wrong type. All
            problems are listed at once.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise not_toml(origin, error) from error
    return validate(Spec, data, origin=origin)


def choose(kind: str, name: str | None, sections: dict[str, Choice]) -> tuple[str, Choice]:
    """Picks a named section; the first one when no name is given.

    Raises:
        UnknownNameError: The spec declares no such section.
    """
    chosen = next(iter(sections)) if name is None else name
    if chosen not in sections:
        raise UnknownNameError(kind, chosen, sections)
    return chosen, sections[chosen]
