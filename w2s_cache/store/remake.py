"""The command that makes a damaged part of a feature set again, with all that the cache knows."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from w2s_cache.command_line import PROGRAM, features_command
from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.store.domain_command import origin_options
from w2s_cache.store.feature_set import FeatureSet
from w2s_cache.store.reader import read_manifest

_IMPORTED: Final = {"imported": True}
_ANY_COMMAND: Final = re.compile(f"`{PROGRAM} (extract|import)[^`]*`")
_UNSAID: Final = (
    " Unless SOURCE is an export or clip-retrieval's, add --model and --raw or --normalized as at "
    "the first import: nothing in the cache says them any more."
)


def remaking_command(
    home: Path, found: FeatureSet, *, spec: str | None = None, skip: bool = False
) -> str:
    """The command that brings a feature set up to date.

    Args:
        home: The cache home.
        found: The feature set.
        spec: What names its spec, where that is known.
        skip: Whether images that cannot be used are to be left out, as they were before.
    """
    imported = found.request.get("strong") == _IMPORTED
    origin: dict[str, object] = {}
    if imported:
        with contextlib.suppress(StoreError):  # `unsaid` says what is to be added
            origin = origin_options(read_manifest(home / found.image.path)) | _text(home, found)
    if found.request.get("weak") == _IMPORTED:
        origin["weak_logits"] = "FILE"
    return features_command(
        domain=found.domain,
        strong=found.strong,
        weak=found.weak,
        imported=imported,
        spec=spec,
        on_error="skip" if skip and not imported else None,
        **origin,
    )


def unsaid(command: str) -> str:
    """What a command of `remaking_command` lacks because the cache does not say it, a sentence.

    Empty where it lacks nothing; else with a blank before it.
    """
    words = shlex.split(command)
    told = {"--raw", "--normalized"} & set(words)
    return "" if told or words[1] != "import" else _UNSAID


@contextlib.contextmanager
def naming_import(home: Path, found: FeatureSet) -> Iterator[None]:
    """Damage met inside, under imported features, names the import with all that it was told.

    A store of logits does not know beside which features it lies, nor how these were declared.

    Raises:
        CorruptStoreError: What was met, its next step completed.
    """
    try:
        yield
    except CorruptStoreError as error:
        if found.request.get("strong") != _IMPORTED:
            raise
        command = remaking_command(home, found)
        fix = _ANY_COMMAND.sub(lambda _: f"`{command}`", error.fix) + unsaid(command)
        raise type(error)(
            error.what, expected=error.expected, found=error.found, fix=fix
        ) from error


def _text(home: Path, found: FeatureSet) -> dict[str, object]:
    """Where imported features have class text from; an export brings its own."""
    if found.text is None:
        return {}
    encoder = read_manifest(home / found.text.path).key.get("encoder", {})
    if "exported" in encoder:
        return {}
    return {"text": "TEXT" if encoder.get("imported") else "model"}
