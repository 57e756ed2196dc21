"""Which strong encoder and weak model a command works with: options and their meaning."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from w2s_cache.errors import UnknownNameError, WeakLogitsError
from w2s_cache.sections import AS_DECLARED, Overrides, strong_section_of, weak_section_of
from w2s_cache.spec import Decoder, Precision, Spec, StrongSpec, WeakSpec
from w2s_cache_cli.options import comma_list

Command = TypeVar("Command", bound=Callable[..., Any])

_STRONG = (
    "Strong encoder: a section of the spec, ARCH,TAG of open_clip or, once imported, the name of "
    "features."
)
_WEAK = "Weak model: a section of the spec, or the name of imported logits."
_FIRST = "Default: the spec's first."
_OVERRIDES = (
    click.option(
        "--precision",
        type=click.Choice(["fp32", "bf16", "fp16"]),
        help="Compute precision of the strong encoder. Default: the spec's, else fp32.",
    ),
    click.option(
        "--decoder",
        type=click.Choice(["pillow", "fast"]),
        help="How both models see images: as their library does, or faster and nearly so (see "
        "docs/decoding.md). Default: the spec's.",
    ),
    click.option(
        "--strong-checkpoint",
        envvar="W2S_STRONG_CHECKPOINT",
        show_envvar=True,
        help="Local weights of the strong encoder: a file, or a folder for transformers.",
    ),
    click.option(
        "--weak-checkpoint",
        envvar="W2S_WEAK_CHECKPOINT",
        show_envvar=True,
        help="Local weights the weak model starts from: a file, or a folder for transformers.",
    ),
)


strong_option = click.option("--strong", help=f"{_STRONG} {_FIRST}")
weak_option = click.option("--weak", help=f"{_WEAK} {_FIRST}")


def names_options(command: Command) -> Command:
    """Adds ``--strong`` and ``--weak``, one name each."""
    return strong_option(weak_option(command))


def several_names_options(default: str, *, commas: bool = False) -> Callable[[Command], Command]:
    """``--strong`` and ``--weak`` that may be repeated.

    Args:
        default: What is taken without them.
        commas: Whether one value may name several; see :func:`strong_names` for the encoders.
    """
    how = "repeat, or separate by commas" if commas else "repeat"

    def add(command: Command) -> Command:
        for name, what in (("weak", _WEAK), ("strong", _STRONG)):
            text = f"{what} Several: {how}. Default: {default}."
            split = comma_list if commas and name == "weak" else None
            command = click.option(f"--{name}", multiple=True, callback=split, help=text)(command)
        return command

    return add


def strong_names(values: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    """The encoders that values of ``--strong`` name, each once, in the order given.

    A value may name several with commas between them, and a name may have a comma of its own:
    known names and those with a colon or slash stand for themselves, so does a name before one
    that is known and one at the end; any other is the ARCH of the TAG behind it.

    Args:
        values: As they were typed.
        known: Sections of the spec and names in the cache.
    """
    return tuple(dict.fromkeys(name for value in values for name in _parted(value, known)))


def _parted(value: str, known: Collection[str]) -> Iterator[str]:
    parts = [part for part in map(str.strip, value.split(",")) if part]
    while parts:
        first = parts.pop(0)
        alone = first in known or any(mark in first for mark in ":/")
        tagged = not alone and bool(parts) and parts[0] not in known
        yield f"{first},{parts.pop(0)}" if tagged else first


def override_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds what is said of the models beside the spec, as one argument ``overrides``.

    Commands that read records find those of `train` by the same options.
    """

    @functools.wraps(command)
    def gathered(
        *args: Any,
        precision: Precision | None,
        decoder: Decoder | None,
        strong_checkpoint: str | None,
        weak_checkpoint: str | None,
        **rest: Any,
    ) -> Any:
        overrides = Overrides(
            precision=precision,
            decoder=decoder,
            strong_checkpoint=strong_checkpoint,
            weak_checkpoint=weak_checkpoint,
        )
        return command(*args, overrides=overrides, **rest)

    for option in reversed(_OVERRIDES):
        gathered = option(gathered)
    return gathered


@dataclass(frozen=True, kw_only=True, slots=True)
class Models:
    """A strong encoder and a weak model; ``weak`` is None for imported logits.

    The section of imported features has the library ``imported``.
    """

    strong_name: str
    strong: StrongSpec
    weak_name: str
    weak: WeakSpec | None


def chosen_models(
    spec: Spec,
    *,
    strong: str | None,
    weak: str | None,
    overrides: Overrides = AS_DECLARED,
) -> Models:
    """The sections the options mean, with what they override.

    Raises:
        UnknownNameError: The spec has no such strong encoder.
    """
    strong_name, strong_section = strong_section_of(spec, strong, overrides)
    weak_name, weak_section = weak_section_of(spec, weak, overrides)
    return Models(
        strong_name=strong_name, strong=strong_section, weak_name=weak_name, weak=weak_section
    )


def refuse_weak_confusion(spec: Spec, models: Models, weak_logits: str | None) -> None:
    """Imported logits have a name of their own; any other name is a section of the spec.

    Raises:
        WeakLogitsError: Imported logits are called like a section of the spec.
        UnknownNameError: A name that is neither.
    """
    if weak_logits is None and models.weak is None:
        raise UnknownNameError(
            "weak model",
            models.weak_name,
            spec.weak,
            otherwise="For logits of your own add --weak-logits FILE; logits of the same file that "
            "are cached are reused.",
        )
    if weak_logits is not None and models.weak is not None:
        raise WeakLogitsError(
            f"imported logits cannot be called {models.weak_name}",
            expected="a name that is no weak model of the spec",
            found=f"the section [weak.{models.weak_name}]",
            fix="Choose another name with --weak, or leave it out.",
        )
