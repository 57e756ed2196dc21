"""Laws of tables of sizes."""

import numpy as np
import pytest

from w2s_cache.errors import RecordError, SpecError
from w2s_cache.spec import ProtocolSpec
from w2s_cache.store.index import Index
from w2s_cache.tables import build_sizes, load_layout, parse_layout, render


def _index(domain, train, test, dataset="mine"):
    count = train + test
    return Index(
        dataset=dataset,
        domain=domain,
        classes=("a", "b"),
        paths=tuple(f"{domain}/{row:06}.png" for row in range(count)),
        labels=np.arange(count) % 2,
        is_train=np.arange(count) < train,
        sizes=np.ones(count, dtype=np.int64),
        sha256=("0" * 64,) * count,
    )


def _sizes(*indexes, layout=None, dataset="mine", protocol=None):
    return build_sizes(
        layout or load_layout("table2"),
        dataset=dataset,
        indexes=indexes,
        protocol=protocol or ProtocolSpec(),
    )


def _numbers(block):
    return {row.name: [cell.mean for cell in row.cells] for row in block.rows}


def test_the_published_sizes_stand_without_a_cache():
    """Nothing is cached: the published numbers as printed, and the sentence that tells so."""
    table = _sizes()
    assert [block.name for block in table.blocks] == ["table2:published", "table2:derived"]
    lines = [line.split() for line in render(table, "text").splitlines()]
    assert ["D_train", "33525", "36023", "50416", "120750", "120906", "48212"] in lines
    assert ["Total", "48129", "51605", "72266", "172500", "172947", "69128"] in lines
    assert "No index of mine is in the cache" in "\n".join(table.footer)


def test_parts_are_derived_by_the_floor():
    """14604 · 0.8 = 11683.2 → 11683, of which 9346.4 → 9346; Li et al. print neither."""
    derived = _sizes().blocks[1]
    assert "not published" in derived.title
    first = {name: values[0] for name, values in _numbers(derived).items()}
    assert first == {"hold": 11683, "fit": 9346, "val": 2337, "held-out": 2921}


def test_cached_domains_are_counted():
    """Training and test rows of every index, in the layout's order, and the parts of D_test."""
    table = _sizes(_index("zoo", 2, 10), _index("sketch", 3, 20), _index("clipart", 1, 10))
    own = table.blocks[0]
    assert own.columns == ("clipart", "sketch", "zoo")
    assert own.labels == ("Clipart", "Sketch", "zoo")
    assert _numbers(own) == {
        "classes": [2, 2, 2],
        "train": [1, 3, 2],
        "test": [10, 20, 10],
        "total": [11, 23, 12],
        "hold": [8, 16, 8],
        "fit": [6, 12, 6],
        "val": [2, 4, 2],
        "held-out": [2, 4, 2],
    }


def test_the_protocol_decides_the_parts():
    """Other fractions make other parts."""
    table = _sizes(_index("a", 1, 10), protocol=ProtocolSpec(hold_fraction=0.5))
    assert _numbers(table.blocks[0])["held-out"] == [5]


@pytest.mark.parametrize(
    ("train", "sentence"),
    [(33525, "have the published sizes"), (33524, "differ from the published ones: clipart")],
)
def test_cached_sizes_are_compared_with_the_published(train, sentence):
    """A copy of DomainNet that lacks an image is told apart from a whole one."""
    index = _index("clipart", train, 14604, dataset="domainnet")
    assert sentence in "\n".join(_sizes(index, dataset="domainnet").footer)


def test_counts_have_no_decimals_in_any_format():
    """Images are counted, not rounded."""
    table = _sizes(_index("a", 3, 10))
    for form in ("text", "md", "latex", "csv"):
        assert ".0" not in render(
            type(table)(name="t", columns=(), blocks=table.blocks, footer=()), form
        )
    assert "table2,total,a,13,,,,complete,," in render(table, "csv")
    assert "table2:published,total,clipart,,,,,complete,48129," in render(table, "csv")


def test_nothing_to_print_is_an_error():
    """Without an index and without a published table there is no table."""
    layout = parse_layout('name = "s"\ntitle = "S"\ncontent = "sizes"', origin="s.toml")
    with pytest.raises(RecordError, match="nothing to print in the table s"):
        _sizes(layout=layout)


def test_a_table_of_sizes_has_no_rows_of_methods():
    """Rows beside sizes, or none beside scores, are a mistake in the layout."""
    with pytest.raises(SpecError, match="has rows"):
        parse_layout('name="s"\ntitle="S"\ncontent="sizes"\n[rows.cpl]', origin="s.toml")
    with pytest.raises(SpecError, match="has no rows"):
        parse_layout('name="s"\ntitle="S"', origin="s.toml")
