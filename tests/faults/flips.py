"""One byte changed anywhere in a cache home, then read and extracted again."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faults.child import answered
from faults.judge import Judge
from w2s_cache.errors import W2SError

KINDS = {
    "shards": "part-*.h5",
    "manifests": "manifest.json",
    "index": "index.parquet",
    "feature set": "*__*.json",
    "failures": "failures.parquet",
    "side file": "stats.parquet",
}
OUTCOMES = ("refused, healed", "refused, refused", "right, refused", "harmless")
AT_ONCE = 50  # flips per child: a library that crashes on damage is then an answer, not the end


@dataclass(frozen=True, kw_only=True)
class Flip:
    """One byte of one file and what it becomes."""

    kind: str
    file: str
    position: int
    value: int

    def __str__(self) -> str:
        return f"byte {self.position} of {self.file} becomes {self.value}"


def draw(home: Path, count: int, *, seed: int) -> Iterator[Flip]:
    """Yields flips, each kind of file as often, half of them of one bit, half to any byte."""
    generator = np.random.default_rng(seed)
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        path = generator.choice(sorted(map(str, home.rglob(KINDS[kind]))))
        content = Path(path).read_bytes()
        position = int(generator.integers(len(content)))
        mask = (
            1 << generator.integers(8) if number // len(KINDS) % 2 else generator.integers(1, 256)
        )
        value = content[position] ^ int(mask)
        file = Path(path).relative_to(home).as_posix()
        yield Flip(kind=kind, file=file, position=position, value=value)


def flip_bytes(judge: Judge, flips: list[Flip]) -> Counter[tuple[str, str]]:
    """Makes each flip in a fresh copy of a whole home and follows what comes of it.

    Args:
        judge: Knows the right files and numbers; its home is whole.
        flips: What to change.

    Returns:
        How often each (kind of file, outcome) was seen. Outcomes are what reading and then
        extracting again came to, one of ``OUTCOMES``.

    Raises:
        AssertionError: A number changed silently, or an error was no sentence of ours.
    """
    seen: Counter[tuple[str, str]] = Counter()
    for start in range(0, len(flips), AT_ONCE):
        part = flips[start : start + AT_ONCE]
        code, outcomes = answered(lambda part=part: [_outcome(judge, flip) for flip in part])
        assert code == 0, f"ended with {code} somewhere in: {'; '.join(map(str, part))}"
        seen.update(zip((flip.kind for flip in part), outcomes, strict=True))
    return seen


def _outcome(judge: Judge, flip: Flip) -> str:
    home = judge.home.with_name("flipped")
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(judge.home, home)
    path = home / flip.file
    content = bytearray(path.read_bytes())
    content[flip.position] = flip.value
    path.write_bytes(content)
    read = _read(judge, home, flip)
    try:
        judge.extraction.run(home)
    except W2SError as error:
        _is_a_sentence(error, flip)
        return f"{read}, refused"
    except Exception as error:
        raise AssertionError(f"{flip}: extraction fails with {error!r}") from error
    assert _read(judge, home, flip) == "right", f"{flip}: extraction did not heal it"
    return "harmless" if read == "right" else "refused, healed"


def _read(judge: Judge, home: Path, flip: Flip) -> str:
    try:
        numbers = judge.extraction.numbers(home)
    except W2SError as error:
        _is_a_sentence(error, flip)
        return "refused"
    except Exception as error:
        raise AssertionError(f"{flip}: reading fails with {error!r}") from error
    assert numbers == judge.numbers, f"{flip}: a number changed silently"
    return "right"


def _is_a_sentence(error: W2SError, flip: Flip) -> None:
    parts = (error.what, error.expected, error.found, error.fix)
    assert all(parts), f"{flip}: {error}"
