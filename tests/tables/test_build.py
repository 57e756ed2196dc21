"""Laws of whole tables: marks, footers, order, and a published table as golden."""

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from w2s_cache.errors import RecordError
from w2s_cache.tables import Expected, build, load_layout, missing_runs, parse_layout, render

DOMAINS = ["clipart", "infograph", "painting", "quickdraw", "real", "sketch"]

# Table 1 of the CPL paper, in %: the rows that the main table shares with it.
PAPER = {
    "weak": [67.15, 31.71, 67.90, 46.70, 85.10, 52.26],
    "ceiling-cpl": [74.27, 50.84, 72.24, 49.92, 85.34, 66.64],
    "lp-ce": [66.97, 30.55, 64.90, 45.59, 82.69, 55.28],
    "lp-kd": [70.69, 35.78, 68.28, 48.15, 83.66, 59.88],
    "cpl": [73.10, 46.14, 71.80, 47.96, 85.41, 64.01],
}


def _cells(table, block, name):
    row = next(row for row in table.blocks[block].rows if row.name == name)
    return dict(zip(table.columns, row.cells, strict=True))


def _footer(table):
    return "\n".join(table.footer)


@pytest.fixture
def paper(make):
    """Records with the numbers of the published table."""
    return [
        make(method, domain, accuracy=value / 100)
        for method, values in PAPER.items()
        for domain, value in zip(DOMAINS, values, strict=True)
    ]


def test_a_published_table_comes_out(paper):
    """Averages and differences of Table 1; its average difference 3.67 is of rounded numbers."""
    scores, gap = render(build(load_layout("main"), paper), "latex").split("bigskip")
    rows = {line.split(" & ")[0]: line.split(" & ")[1:] for line in scores.splitlines()}
    assert rows[r"\quad CE + LP"][-1] == r"57.66 \\"
    assert rows[r"\quad KD + LP"][-1] == r"61.07 \\"
    assert rows[r"$\Delta$ CPL"] == [
        "+2.41",
        "+10.36",
        "+3.52",
        "$-$0.19",
        "+1.75",
        "+4.13",
        r"+3.66 \\",
    ]
    shares = next(line for line in gap.splitlines() if line.startswith(r"\quad CPL"))
    assert shares.split(" & ")[1:-1] == ["0.836", "0.754", "0.899", "0.391", "1.292", "0.817"]


def test_columns_are_the_domains_in_order_then_the_average(paper):
    """Columns do not depend on the order in which runs were found."""
    assert build(load_layout("main"), reversed(paper)).columns == (*DOMAINS, "Avg")


def test_a_single_domain_has_no_average(layout, study):
    """An average of one column would repeat it."""
    table = build(layout, [record for record in study if record.domain == "art"])
    assert table.columns == ("art",)
    assert "Avg" not in "".join(table.footer[:2])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(data=st.data())
def test_the_order_of_records_changes_nothing(layout, study, data):
    """A table is a function of the set of its records."""
    shuffled = data.draw(st.permutations(study))
    assert build(layout, shuffled) == build(layout, study)


def test_records_of_other_methods_are_ignored(layout, study, make):
    """What the layout does not name is neither shown nor compared."""
    other = make("tip-adapter", "music", strong="other", weak="other", dataset="other")
    assert build(layout, [*study, other]) == build(layout, study)


def test_methods_that_have_runs_and_no_row_are_named(layout, study, make):
    """Runs in the table's columns that it does not show stand in the footer, with how to."""
    others = [make("lda", "art"), make("knn-weak", "art"), make("lda", "sketch")]
    table = build(layout, [*study, *others])
    assert "Not shown: runs of knn-weak, lda; a layout" in "\n".join(table.footer)
    assert "[rows.knn-weak]" in "\n".join(table.footer)
    assert table.blocks == build(layout, study).blocks


def test_records_that_differ_are_refused(layout, study, make):
    """A table is not built from two protocols, unless one is filtered out."""
    other = make("lp-kd", "art", 7, strong="other")
    with pytest.raises(RecordError, match="strong of the table"):
        build(layout, [*study, other])
    build(layout, [record for record in [*study, other] if record.strong != "other"])


def test_no_records_are_an_error(layout, make):
    """An empty table is not printed."""
    with pytest.raises(RecordError, match=r"nothing to print in the table study.*lp-kd"):
        build(layout, [make("tip-adapter", "art")])


def test_a_missing_seed_is_marked_everywhere(layout, study):
    """The cell says 1/2, what is computed from it has a star, the footer names the seed."""
    table = build(layout, [r for r in study if (r.method, r.domain, r.seed) != ("lp-kd", "art", 1)])
    text = render(table, "text")
    assert "50.0 (1/2)  36.0 ±1.4      43.0*" in text
    assert "+12.0*       -1.0      +5.5*" in text
    assert "(1/2): KD + LP on art lacks seed 1." in _footer(table)
    assert "*: computed from" in _footer(table)


def test_a_seed_that_nobody_ran_is_marked_everywhere(layout, study):
    """Two of three expected seeds: every cell says 2/3, and one sentence names seed and rows."""
    table = build(layout, study, Expected(seeds=(0, 1, 2)))
    cells = [cell for row in table.blocks[0].rows[:4] for cell in row.cells[:2]]
    assert {(cell.status, cell.n, cell.expected) for cell in cells} == {("partial", 2, 3)}
    assert "(2/3): every row everywhere lacks seed 2." in _footer(table)


def test_seeds_beyond_the_expected_ones_are_shown(layout, study):
    """A sweep of more seeds than the spec's is not cut down to them."""
    assert build(layout, study, Expected(seeds=(0,))) == build(layout, study)


def test_a_domain_that_nobody_ran_is_a_column_of_dashes(layout, study):
    """A declared domain without records is shown as missing, and there is no average without it."""
    table = build(layout, study, Expected(domains=("art", "real", "sketch")))
    assert table.columns == ("art", "real", "sketch", "Avg")
    assert _cells(table, 0, "cpl")["real"].status == "missing"
    assert _cells(table, 0, "cpl")["Avg"].status == "missing"
    assert "–: no run of any row on real." in _footer(table)


def test_a_missing_run_is_a_dash_with_a_reason(layout, study):
    """The cell and the row's average are dashes, not averages of what is there."""
    table = build(layout, [r for r in study if (r.method, r.domain) != ("cpl", "art")])
    cells = _cells(table, 0, "cpl")
    assert (cells["art"].status, cells["Avg"].status) == ("missing", "missing")
    assert "–: no run of CPL on art." in _footer(table)
    line = next(line for line in render(table, "text").splitlines() if line.startswith("CPL"))
    assert line.split() == ["CPL", "–", "35.0", "±1.4", "–"]


def test_a_method_without_runs_keeps_its_row(layout, study):
    """A row that was asked for is not left out silently."""
    table = build(layout, [r for r in study if r.method != "lp-kd"])
    assert "–: no run of KD + LP anywhere." in _footer(table)
    assert {cell.status for cell in _cells(table, 0, "delta:cpl").values()} == {"missing"}


def test_a_method_that_is_not_applicable_says_why(layout, study, make):
    """n/a in the cells, the reason in the footer, once."""
    rest = [record for record in study if record.method != "cpl"]
    refused = [
        make("cpl", d, s, status="not-applicable", reason="no text features.", metrics={})
        for d in ("art", "sketch")
        for s in (0, 1)
    ]
    table = build(layout, rest + refused)
    assert {cell.status for cell in _cells(table, 0, "cpl").values()} == {"not-applicable"}
    assert "n/a: CPL on art, sketch: no text features." in table.footer


def test_the_ceiling_is_named(layout, study):
    """The better model wins in each domain, and the footer says which."""
    table = build(layout, study)
    cells = _cells(table, 0, "ceiling")
    assert [cells[c].mean for c in ("art", "sketch")] == pytest.approx([0.81, 0.75])
    assert "is ceiling-cpl on sketch; ceiling-lp on art." in _footer(table)


def test_oracle_selection_is_marked(layout, study):
    """A row whose state was chosen with ground truth says so in its label and in the footer."""
    marked = [
        dataclasses.replace(r, protocol=r.protocol | {"select": "oracle"})
        if r.method == "cpl"
        else r
        for r in study
    ]
    table = build(layout, marked)
    assert "CPL [oracle]" in {row.label for row in table.blocks[0].rows}
    assert "oracle (CPL); weak-agreement (Weak, KD + LP, ceiling-lp, ceiling-cpl)" in _footer(table)
    assert "oracle has seen ground truth" in _footer(table)


def test_one_seed_prints_no_spread(layout, study):
    """One seed has no ± anywhere, and the footer and title say nothing of one."""
    text = render(build(layout, [r for r in study if r.seed == 1]), "text")
    assert text.count("±") == 1
    assert "One seed (1), hence no ±." in text


def test_another_metric_can_be_shown(study):
    """The metric is the layout's, and the title says which."""
    layout = parse_layout(
        'name = "a"\ntitle = "T"\nmetric = "weak_accuracy"\n[rows.cpl]', origin="a"
    )
    records = [dataclasses.replace(r, metrics={"weak_accuracy": 0.25}) for r in study]
    table = build(layout, records)
    assert table.blocks[0].title.startswith("T (weak accuracy, %")
    assert _cells(table, 0, "cpl")["art"].mean == 0.25


def test_the_footer_says_where_numbers_come_from(layout, study):
    """Skipped images, all versions and the layout's own sentences are printed."""
    records = [
        dataclasses.replace(
            r,
            counts=r.counts | {"skipped": 3 if r.domain == "art" else 0},
            environment={"versions": {"torch": f"2.{r.seed}"}, "device": "cpu"},
        )
        for r in study
    ]
    table = build(layout.model_copy(update={"footer": ("Own words.",)}), records)
    assert table.footer[0] == "Own words."
    assert "art: 3 of 103 test images skipped, which could not be used." in table.footer
    assert "Computed with torch 2.0 and 2.1 on cpu." in table.footer
    assert "CPL: steps.lr=0.01, tau=0.1." in table.footer


def test_messages_do_not_depend_on_the_order_of_records(layout, make):
    """Of two records for one place the message names both in a fixed order."""
    inputs = {"index_digest": "index of art", "text_key": "t"}
    twins = [make("cpl", "art"), make("cpl", "art", inputs=inputs)]
    messages = set()
    for records in (twins, twins[::-1]):
        with pytest.raises(RecordError, match="two records of cpl") as caught:
            build(layout, records)
        messages.add(str(caught.value))
    assert len(messages) == 1


def test_a_ceiling_without_a_result_wins_nowhere(layout, study, make):
    """A domain where no ceiling could be trained is not claimed for a model."""
    rest = [r for r in study if not (r.method.startswith("ceiling") and r.domain == "art")]
    refused = [
        make("ceiling-lp", "art", s, status="not-applicable", reason="no labels", metrics={})
        for s in (0, 1)
    ]
    table = build(layout, rest + refused)
    assert "the best by mean is ceiling-cpl on sketch." in _footer(table)
    assert "n/a: Strong ceiling on art: no labels." in table.footer


def test_anchors_are_said_in_the_label_of_zero_shot_and_below_the_table(make):
    """Nearest other-domain mean is no zero-shot recognition, and nobody shall take it for that."""
    rows = 'name = "a"\ntitle = "A"\n[rows.zero-shot]\nlabel = "Zero-shot"\n[rows.cpl]\n'
    layout = parse_layout(rows, origin="a.toml")
    pairs = [(method, domain) for method in ("zero-shot", "cpl") for domain in ("art", "ink")]
    plain = build(layout, [make(*pair) for pair in pairs])
    anchored = build(
        layout,
        [
            make(
                method,
                domain,
                inputs={"index_digest": f"index of {domain}", "anchors_key": f"all but {domain}"},
            )
            for method, domain in pairs
        ],
    )
    assert plain.blocks[0].rows[0].label == "Zero-shot"
    assert [row.label for row in anchored.blocks[0].rows] == [
        "Zero-shot: other domains' class means",
        "cpl",
    ]
    assert any("anchors, the class means of the other domains" in line for line in anchored.footer)
    assert not any("anchors" in line for line in plain.footer)


TWINS = """
name = "twins"
title = "T"
[rows.lp-ce]
label = "CE"
group = "Probe, random"
[rows.tp-ce]
label = "CE"
group = "Prompt"
[rows.tp-kd]
label = "KD, text"
[rows.cpl]
[rows.weak]
"""


def test_rows_that_share_a_label_are_told_apart_in_the_footer(make):
    """Settings belong to the row, not to its label, and equal ones are said once."""
    options = {"lp-ce": {"tau": 1.0}, "tp-ce": {"words": ""}, "tp-kd": {"words": ""}}
    records = [make(m, "art", config={"options": o}) for m, o in options.items()]
    footer = _footer(build(parse_layout(TWINS, origin="t"), records))
    assert "CE (Probe, random): tau=1.0." in footer
    assert 'CE (Prompt); KD, text: words="".' in footer


def test_missing_runs_are_named_in_groups(make):
    """Rows, columns and seeds that lack the same stand together, seeds as ranges."""
    records = [make("cpl", d, s) for d in ("art", "real", "sea") for s in (0, 1, 2, 5)]
    records += [make(m, "art", s) for m in ("lp-ce", "tp-ce") for s in range(6)]
    layout = parse_layout(TWINS, origin="t")
    footer = _footer(build(layout, records))
    assert "–: no run of CE (Probe, random); CE (Prompt) on real, sea." in footer
    assert "–: no run of KD, text; weak anywhere." in footer
    assert "(4/6): cpl everywhere lacks seeds 3-4." in footer
    missing = missing_runs(layout, records, Expected())
    assert missing.methods == ("lp-ce", "tp-ce", "tp-kd", "cpl", "weak")
    assert (missing.columns, missing.seeds) == (("real", "sea", "art"), (0, 1, 2, 3, 4, 5))
    assert missing.runs == 2 * 2 * 6 + 2 * 3 * 6 + 3 * 2


def test_what_is_not_applicable_is_not_missing(make, layout):
    """No command would make it; of the ceiling the methods that were run elsewhere are meant."""
    refused = {"status": "not-applicable", "reason": "x", "metrics": {}}
    records = [make("cpl", "art", **refused), make("lp-kd", "art"), make("weak", "art")]
    records += [make("ceiling-lp", "sea"), *[make(m, "sea") for m in ("cpl", "lp-kd", "weak")]]
    missing = missing_runs(layout, records, Expected())
    assert (missing.methods, missing.columns) == (("ceiling-lp",), ("art",))
