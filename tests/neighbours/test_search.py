"""Nearest rows: one answer, whatever finds the candidates."""

from __future__ import annotations

import pytest
import torch

from w2s_cache.errors import NeighbourError
from w2s_cache.neighbours import search, torch_index
from w2s_cache.neighbours.choice import make_index
from w2s_cache.neighbours.search import nearest, pairs_above, unit


@pytest.mark.parametrize("count", [1, 3, 12, 60, 299])
def test_neighbours_are_those_of_a_full_sort(copied, reference, library, count):
    """Equal to sorting all cosines, ties by row number, with 40 copies of a row among them."""
    index, own = make_index(copied, kind="exact"), torch.arange(300)
    assert index.name.startswith(library)
    found = nearest(index, copied, copied, count, skip=own)
    assert torch.equal(found.rows, reference(copied, copied, count, own))


@pytest.mark.usefixtures("library")
def test_cosines_are_those_of_the_rows_found(copied):
    """Each is that of its query with its row, to the last bit of single precision, up to ±1."""
    found = nearest(make_index(copied), copied, copied[:50], 7)
    expected = (copied[:50].double().unsqueeze(1) * copied[found.rows].double()).sum(-1)
    assert torch.equal(found.cosines, expected.float().clamp(-1, 1))


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("sign", [1, -1])
def test_no_cosine_lies_beyond_one(sign):
    """Rows a little longer than 1 by rounding are of cosine ±1 with themselves and opposites."""
    rows = unit(torch.randn(200, 24, generator=torch.Generator().manual_seed(0)))
    computed = (rows.double() ** 2).sum(-1).float()
    assert (computed > 1).any()
    found = nearest(make_index(rows), rows, sign * rows, len(rows)).cosines
    assert float(found.abs().max()) == 1
    twice = torch.cat([rows, rows])
    pairs = pairs_above(make_index(twice), twice, 0.99, most=1_000)
    assert len(pairs.cosines) == 200
    assert float(pairs.cosines.max()) == 1


@pytest.mark.usefixtures("library")
def test_the_size_of_blocks_changes_nothing(copied, monkeypatch):
    """Blocks of 7 queries, 11 rows and 100 numbers give the answer of one block."""
    whole = nearest(make_index(copied), copied, copied, 9, skip=torch.arange(300))
    pairs = pairs_above(make_index(copied), copied, 0.5, most=10_000)
    for module, name, size in (
        (search, "_QUERIES", 7),
        (torch_index, "_BLOCK", 11),
        (search, "_PAIR_NUMBERS", 100),
        (search, "_BLOCK_COSINES", 1_500),
    ):
        monkeypatch.setattr(module, name, size)
    again = nearest(make_index(copied), copied, copied, 9, skip=torch.arange(300))
    assert torch.equal(again.rows, whole.rows)
    assert torch.equal(again.cosines, whole.cosines)
    parted = pairs_above(make_index(copied), copied, 0.5, most=10_000)
    assert torch.equal(parted.first, pairs.first)
    assert torch.equal(parted.second, pairs.second)


@pytest.mark.usefixtures("library")
def test_a_query_from_outside_may_have_any_row(copied, reference):
    """Without a row to skip, every row is an answer, and fewer rows than asked for are all."""
    queries = unit(torch.randn(5, 24, generator=torch.Generator().manual_seed(1)))
    found = nearest(make_index(copied[:6]), copied[:6], queries, 10).rows
    assert torch.equal(found, reference(copied[:6], queries, 6))


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(("rows", "found"), [(1, 0), (2, 1)])
def test_few_rows_have_few_neighbours(rows, found):
    """One row has none, two rows have each other."""
    base = unit(torch.eye(3)[:rows])
    got = nearest(make_index(base), base, base, 4, skip=torch.arange(rows))
    assert got.rows.shape == got.cosines.shape == (rows, found)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("threshold", [0.5, 0.9, 1.0 - 1e-9])
def test_pairs_are_all_those_above_the_threshold(copied, threshold):
    """Equal to looking at every pair; nearest first, then by rows; no row with itself."""
    cosines = (copied.double().unsqueeze(1) * copied.double().unsqueeze(0)).sum(-1)
    wanted = [(i, j) for i in range(300) for j in range(i + 1, 300) if cosines[i, j] >= threshold]
    wanted.sort(key=lambda pair: (-cosines[pair].item(), *pair))
    found = pairs_above(make_index(copied), copied, threshold, most=10_000)
    assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == wanted
    assert len(wanted) >= 40 * 41 // 2


@pytest.mark.usefixtures("library")
def test_a_threshold_that_everything_reaches_is_refused(copied):
    """More pairs than fit are an error that says what to do, not a full memory."""
    with pytest.raises(NeighbourError, match=r"at most 100, found more\. Raise the threshold"):
        pairs_above(make_index(copied), copied, -1.0, most=100)


@pytest.mark.usefixtures("library")
def test_no_pair_is_an_empty_answer():
    """Orthogonal rows have no near-duplicates."""
    base = unit(torch.eye(5))
    assert pairs_above(make_index(base), base, 0.1, most=10).first.tolist() == []


@pytest.mark.usefixtures("library")
def test_progress_counts_every_query_once(copied, monkeypatch):
    """The numbers told add up to the queries, whatever the size of blocks."""
    monkeypatch.setattr(search, "_QUERIES", 64)
    told: list[int] = []
    nearest(make_index(copied), copied, copied, 3, advance=told.append)
    pairs_above(make_index(copied), copied, 0.9, most=10_000, advance=told.append)
    assert (len(told), sum(told)) == (10, 600)
