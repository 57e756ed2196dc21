"""What is said of a pack whose bytes were damaged: the part, in words, and what to do."""

from __future__ import annotations

import random

import h5py
import pytest

from w2s_cache.errors import CorruptStoreError, W2SError

FLIPS = 60


def damaged(pack, name, byte):
    """Change the fourth byte of a dataset, or of the text that it leads to."""
    with h5py.File(pack, "r") as file:
        dataset, content = file[name], pack.read_bytes()
        start = dataset.id.get_offset() if dataset.shape else content.index(dataset[()])
    place = start + 3
    pack.write_bytes(content[:place] + byte + content[place + 1 :])


@pytest.mark.parametrize(
    ("name", "expected", "found"),
    [
        ("index/path", "names in UTF-8 in its index", r"b'art\xff"),
        ("index/classes", "names in UTF-8 in its index", "which is no text"),
        ("digests", "digests as a JSON object of lists of strings", "which is no JSON"),
    ],
)
def test_text_that_is_none_is_shown_beside_what_it_should_be(
    pack, unpacked, tmp_path, name, expected, found
):
    """A byte that no UTF-8 has is said to be damage of names, not by Python's codec."""
    damaged(pack, name, b"\xff")
    with pytest.raises(CorruptStoreError) as refused:
        unpacked(pack, tmp_path / "new")
    said = refused.value
    assert said.expected == expected
    assert found in said.found
    assert "codec" not in str(said)
    assert said.fix == "Copy or download the file again, or pack the domain again."


def test_contradicting_columns_are_said_once_with_the_remedy_of_a_pack(pack, unpacked, tmp_path):
    """What a column breaks is named without the advice that is given for an index of the cache."""
    with h5py.File(pack, "r+") as file:
        file["index/label"][3] = 99
    with pytest.raises(
        CorruptStoreError, match=r"expected labels below 3 \(index of toy/art\)"
    ) as it:
        unpacked(pack, tmp_path / "new")
    assert "Build it again" not in str(it.value)
    assert ".." not in it.value.found


def test_no_flipped_byte_shows_the_inside_of_python(pack, unpacked, tmp_path):
    """Whatever byte is changed, the answer is a whole sentence or the same numbers."""
    content, rng, refused = pack.read_bytes(), random.Random(0), []
    for number in range(FLIPS):
        flipped = bytearray(content)
        flipped[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        pack.write_bytes(flipped)
        try:
            unpacked(pack, tmp_path / f"new{number}")
        except W2SError as error:
            refused.append(error)
    assert refused
    assert all(all((e.what, e.expected, e.found, e.fix)) for e in refused)
    inside = ("codec", "delimiter", "'Unable")
    assert not [error.found for error in refused if any(word in error.found for word in inside)]
