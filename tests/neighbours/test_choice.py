"""Which index is used, and how far it can be trusted."""

from __future__ import annotations

import pytest
import torch

from w2s_cache.errors import NeighbourError
from w2s_cache.neighbours import choice
from w2s_cache.neighbours.choice import make_index, recall
from w2s_cache.neighbours.faiss_index import NPROBE
from w2s_cache.neighbours.faiss_library import faiss_library
from w2s_cache.neighbours.search import nearest, unit


@pytest.fixture(scope="module")
def cloud():
    """8,000 unit rows around 40 centres."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(40, 16, generator=generator)
    noise = torch.randn(8_000, 16, generator=generator)
    return unit(centres[torch.arange(8_000) % 40] + noise)


def test_all_rows_are_looked_at_below_the_stated_size(cloud, monkeypatch):
    """One row fewer than `CELLS_FROM` is searched exactly, as many by cells; exact stays exact."""
    monkeypatch.setattr(choice, "CELLS_FROM", 8_000)
    assert make_index(cloud[:-1]).exact
    assert not make_index(cloud).exact
    assert make_index(cloud, kind="exact").exact


def test_cells_are_the_same_every_time_and_say_how_many_are_visited(cloud):
    """Two IVF indexes of the same rows find the same neighbours; the name states both numbers."""
    one, other = (make_index(cloud, kind="ivf") for _ in range(2))
    assert one.name == f"faiss, IVF of 205 cells, {NPROBE} visited"
    own = torch.arange(8_000)
    found, again = (nearest(index, cloud, cloud, 5, skip=own) for index in (one, other))
    assert torch.equal(found.rows, again.rows)


def test_recall_is_the_share_of_true_neighbours_found(cloud):
    """1 for an exact index; measured, below 1 and well above chance, for a few of many cells."""
    few = make_index(cloud, kind="ivf")
    few.index.nprobe = 2
    assert recall(make_index(cloud), cloud, 10) == 1.0
    sample = torch.linspace(0, 7_999, 256).long()
    exact = nearest(make_index(cloud, kind="exact"), cloud, cloud[sample], 10, skip=sample).rows
    found = nearest(few, cloud, cloud[sample], 10, skip=sample).rows
    shared = sum(len(set(a.tolist()) & set(b.tolist())) for a, b in zip(exact, found, strict=True))
    assert recall(few, cloud, 10) == pytest.approx(shared / 2_560)
    assert 0.2 < recall(few, cloud, 10) < 1.0


def test_a_query_whose_cells_hold_too_few_rows_is_compared_with_all(cloud):
    """An approximate search never answers with a missing row."""
    few = make_index(cloud[:4_000], kind="ivf")
    few.index.nprobe = 1
    assert (few.top(cloud[:20], 300) == -1).any()
    found = nearest(few, cloud[:4_000], cloud[:20], 300).rows
    assert (found >= 0).all()
    assert all(len(set(rows)) == 300 for rows in found.tolist())


def test_without_faiss_cells_are_refused_and_torch_searches(cloud, monkeypatch):
    """IVF that was asked for is an error; the default searches exactly, and its name says so."""
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    assert faiss_library() is None
    with pytest.raises(NeighbourError, match="IVF index needs faiss"):
        make_index(cloud, kind="ivf")
    monkeypatch.setattr(choice, "CELLS_FROM", 1)
    assert make_index(cloud).name == "torch, exact"


@pytest.mark.parametrize("kind", ["exact", "ivf"])
def test_on_a_gpu_the_neighbours_are_the_same(cloud, kind):
    """The GPU index names the neighbours that the CPU index names, up to its own approximation."""
    faiss = faiss_library()
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    if not hasattr(faiss, "StandardGpuResources"):
        pytest.skip("the faiss that is installed has no GPU support")
    own = torch.arange(len(cloud))
    on_gpu, on_cpu = (make_index(cloud, kind=kind, device=device) for device in ("cuda", "cpu"))
    found, wanted = (nearest(i, cloud, cloud, 5, skip=own).rows for i in (on_gpu, on_cpu))
    share = (found == wanted).double().mean()
    assert share == 1 if kind == "exact" else share > 0.9


def test_on_macos_faiss_keeps_to_one_thread(monkeypatch):
    """Two runtimes of OpenMP in one process crash there; elsewhere threads stay as they are."""
    import faiss

    asked = []
    monkeypatch.setattr(faiss, "omp_set_num_threads", asked.append)
    for platform in ("linux", "darwin"):
        monkeypatch.setattr("sys.platform", platform)
        faiss_library()
    assert asked == [1]
