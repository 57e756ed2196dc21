"""Law: one changed byte anywhere is named, healed or harmless; it never changes a number."""

from __future__ import annotations

import pytest

from faults.flips import KINDS, Flip, draw, flip_bytes
from faults.judge import Judge


def test_random_flips_never_change_a_number_silently(whole: Judge) -> None:
    """Reading refuses or gives the right numbers; extraction heals or says what to delete."""
    seen = flip_bytes(whole, list(draw(whole.home, 120, seed=11)))
    assert seen.total() == 120
    assert seen["shards", "refused, healed"] == 120 // len(KINDS)
    assert seen["side file", "harmless"] == 120 // len(KINDS)


@pytest.mark.parametrize(
    ("file", "old", "new", "outcome"),
    [
        # An attribute that repeats a field of the key: read as right, extracted as a hit.
        ("text/*/manifest.json", b'"logit_scale": 14.', b'"logit_scale": 15.', "refused, healed"),
        # The width of an array: refused when read; extraction begins such a store anew.
        ("text/*/manifest.json", b"    12\n", b"    16\n", "refused, healed"),
        # The width of an array that training does not read: the same, and nobody saw it.
        (
            "text/*/manifest.json",
            b'    12\n   ],\n   "dtype": "int32',
            b'    52\n   ],\n   "dtype": "int32',
            "harmless",
        ),
        # Free facts.
        ("d/image/*/manifest.json", b'"created": "2', b'"created": "3', "harmless"),
        # A path that is no text any more; the table of a side file that is none.
        ("d/index.parquet", b"d/blue/0.png", b"d/blu\xff/0.png", "refused, healed"),
        ("d/stats.parquet", b"d/blue/0.png", b"d/blu\xff/0.png", "harmless"),
    ],
)
def test_a_flip_that_once_was_a_dead_end(whole: Judge, file, old, new, outcome) -> None:
    """What reading refuses extraction does not call a hit, and no damage is a traceback."""
    [path] = whole.home.glob(f"v1/tiny/{file}")
    content = path.read_bytes()
    start = content.rfind(old) if old.startswith(b'"logit') else content.index(old)
    [place] = [i for i in range(len(old)) if old[i] != new[i]]
    name = path.relative_to(whole.home).as_posix()
    flip = Flip(kind="one", file=name, position=start + place, value=new[place])
    assert flip_bytes(whole, [flip]) == {("one", outcome): 1}
