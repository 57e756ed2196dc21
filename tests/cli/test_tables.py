"""Which records `tables` finds: by what is asked for, else the layout, else the spec."""

from __future__ import annotations

import csv
import io
import re
import shutil
from dataclasses import replace

import pytest

from w2s_cache.results import find_runs, run_id, write_run
from w2s_cache.sections import request_digest
from w2s_cache.spec_files import load_spec

MODELS = """
name = "models"
title = "Weak models"
columns = "weak"
domain = "art"
published = "table3"
agreement = true
[column.other]
label = "The other"
[column.net]
[rows.weak]
[rows.zero-shot]
"""


@pytest.fixture(scope="module")
def two_weak(studied, tmp_path_factory):
    """The results with a second weak model's beside them, as far as their records go."""
    results = tmp_path_factory.mktemp("two") / "results"
    shutil.copytree(studied.results, results)
    asked = request_digest(load_spec(str(studied.spec)), strong="clip", weak="other")
    for record in find_runs(results, method=["weak", "zero-shot"]):
        inputs = record.inputs | {"logits_key": "f" * 64, "request_digest": asked}
        twin = replace(record, weak="other", inputs=inputs, status="not-applicable", reason="x")
        twin = replace(twin, run_id=run_id(twin.outcome()), metrics={}, per_class_accuracy=[])
        write_run(results, twin, trace=None, predictions=None, head={})
    return results


@pytest.fixture
def table(w2s, studied):
    """Runs `tables` of the tiny spec on some results."""

    def run(results, *options):
        return w2s("tables", "--spec", studied.spec, "--results-dir", results, *options)

    return run


def test_the_layout_decides_what_the_columns_are(two_weak, table, tmp_path):
    """A table of weak models has both, on the layout's domain; the spec's first is no filter."""
    (tmp_path / "models.toml").write_text(MODELS)
    told = table(two_weak, "--table", tmp_path / "models.toml", "--format", "csv")
    assert told.exit_code == 0, told.output
    lines = list(csv.DictReader(io.StringIO(told.stdout)))
    own = [(x["row"], x["column"], x["status"]) for x in lines if x["table"] == "models"]
    assert own[:2] == [("weak", "other", "not-applicable"), ("weak", "net", "complete")]
    assert {x["table"] for x in lines} == {"models", "models:agreement", "models:published"}


def test_a_layout_s_model_that_the_spec_lacks_is_not_advised_to_be_trained(
    studied, table, tmp_path
):
    """Of what the spec has, the command that trains is named; of what it lacks, only that."""
    layout = MODELS.replace('"weak"\n', '"domain"\nstrong = "blip"\nweak = "net"\n', 1)
    (tmp_path / "other.toml").write_text(layout.replace('domain = "art"\n', ""))
    own = ("--table", tmp_path / "other.toml", "--cache-dir", studied.cache)
    told = table(studied.results, *own)
    assert (told.exit_code, told.stdout) == (1, "")
    assert "Spec tiny has no strong encoder blip: choose" in told.stderr
    assert "w2s-cache train" not in told.stderr
    known = table(tmp_path / "none", *own, "--strong", "clip")
    assert known.exit_code == 1
    assert "`w2s-cache train --spec" in known.stderr


def test_options_override_the_layout(two_weak, table, tmp_path):
    """`--weak` narrows the columns and `--domain` replaces the layout's domain."""
    (tmp_path / "models.toml").write_text(MODELS)
    options = ("--table", tmp_path / "models.toml", "--weak", "net", "--domain", "photo")
    told = table(two_weak, *options)
    assert told.exit_code == 0, told.output
    assert "domain photo; strong model clip; weak model net." in told.stdout
    assert "The other" not in told.stdout


def test_without_a_layouts_word_the_specs_first_models_are_meant(two_weak, table, studied):
    """The main table does not see the other weak model."""
    assert table(two_weak).stdout == table(studied.results).stdout


def test_two_models_are_not_mixed_in_one_table(two_weak, table):
    """Asking for both in a table of domains is refused, and the field that differs is named."""
    told = table(two_weak, "--weak", "net", "--weak", "other")
    assert (told.exit_code, told.stdout) == (1, "")
    assert "do not belong in one table" in told.stderr
    assert "weak of the table is 'net' or 'other'" in told.stderr


def test_records_of_another_protocol_are_never_mixed_in(studied, w2s, table, tmp_path):
    """They are left out and the field that differs is named; the table is as without them."""
    shutil.copytree(studied.results, tmp_path / "results")
    where = ("--cache-dir", studied.cache, "--results-dir", tmp_path / "results")
    options = ("--method", "weak", "--eval-split", "full-test", "--quiet")
    assert w2s("train", "--spec", studied.spec, *where, *options).exit_code == 0
    told = table(tmp_path / "results")
    assert told.stdout == table(studied.results).stdout
    sentence = "4 runs of other settings left out, differing in protocol.eval_split\n"
    assert told.stderr.startswith(sentence)


def test_the_numbers_are_those_of_the_spec_as_it_stands(place, w2s, tmp_path):
    """Train with one list of templates, then another, then the first again: its table is printed.

    The third training reuses the first one's records, which are older than the second one's.
    """
    other = place.edited('templates = ["plain"]', 'templates = ["openai7"]', tmp_path)
    where = ("--cache-dir", tmp_path / "cache", "--results-dir", tmp_path / "results", "--quiet")
    shown = []
    for spec in (place.spec, other, place.spec):
        for command, options in {
            "extract": where[:2],
            "train": (*where[:4], "--method", "zero-shot,cpl", "--seeds", "0"),
            "tables": (*where[2:], "--seeds", "0", "--format", "csv"),
        }.items():
            told = w2s(command, "--spec", spec, *options)
            assert told.exit_code == 0, told.output
        shown.append(told.stdout)
    assert shown[0] == shown[2] != shown[1]


def test_what_nobody_ran_is_marked(studied, table, w2s, place, tmp_path):
    """A spec of more seeds and domains than were run has marks; more runs than its seeds show."""
    more = place.edited("seeds = [0, 1]", "seeds = [0, 1, 2]", tmp_path)
    text = more.read_text().replace("[data]", '[data]\ndomains = ["art", "photo", "sketch"]')
    more.write_text(text)
    where = ("--results-dir", studied.results)
    told = w2s("tables", "--spec", more, *where)
    assert told.exit_code == 0, told.output
    assert "(2/3)" in told.stdout
    assert "lack seed 2." in told.stdout
    assert "on sketch." in told.stdout
    fewer = place.edited("seeds = [0, 1]", "seeds = [0]", tmp_path)
    assert w2s("tables", "--spec", fewer, *where).stdout == table(studied.results).stdout
    narrow = w2s("tables", "--spec", more, *where, "--domain", "art", "--seeds", "0,1")
    assert narrow.stdout == table(studied.results, "--domain", "art", "--seeds", "0,1").stdout


def test_a_protocol_that_was_not_run_is_refused_by_name(studied, table):
    """Where all records are of another protocol, the message names the field and how many."""
    told = table(studied.results, "--select", "last")
    assert (told.exit_code, told.stdout) == (1, "")
    assert "found 24 of other settings, differing in protocol.select." in told.stderr


def test_sizes_are_counted_in_the_cache(cached, w2s, tmp_path):
    """Table 2 needs no records: the indexes of the cache below the published numbers."""
    options = ("--spec", cached.spec, "--table", "table2", "--format", "csv")
    told = w2s("tables", *options, "--results-dir", tmp_path, "--cache-dir", cached.cache)
    assert told.exit_code == 0, told.output
    assert "table2,train,art,24,,,,complete,,\n" in told.stdout
    assert "table2,held-out,photo,8,,,,complete,,\n" in told.stdout
    assert ":skipped" not in told.stdout
    assert "table2:published,train,clipart,,,,,complete,33525,\n" in told.stdout
    empty = w2s("tables", *options, "--results-dir", tmp_path, "--cache-dir", tmp_path)
    assert empty.exit_code == 0
    assert "table2,train" not in empty.stdout


@pytest.mark.parametrize("name", ["table1", "table4", "table6", "table7"])
def test_shipped_tables_of_domains_print(studied, table, name):
    """Any data set can be put beside the paper's numbers, which say whose they are."""
    told = table(studied.results, "--table", name, "--strong", "clip")
    assert told.exit_code == 0, told.output
    assert "Published for" in told.stdout


def test_a_table_of_another_data_set_advises_only_the_spec_s_domains(table, studied, tmp_path):
    """Of OfficeHome's four the spec has one: its own are columns, and the fitting spec is named."""
    spec = studied.edited('format = "', 'domains = ["art", "photo"]\nformat = "', tmp_path)
    told = table(studied.results, "--spec", spec, "--table", "table6", "--seeds", "0,5")
    assert told.exit_code == 0, told.output
    assert "table6: tiny has no domain clipart, product, real_world" in told.stderr
    assert "it is a table of --spec officehome" in told.stderr
    assert "--domain" not in told.stderr
    assert {"art", "photo"} <= set(told.stdout.splitlines()[2].split())


def test_further_tables_of_a_spec_wait_for_their_methods(w2s, studied, tmp_path):
    """Without --table the first is printed and what the second needs is said; asked for, it is."""
    spec = tmp_path / "tiny.toml"
    text = studied.spec.read_text(encoding="utf-8")
    listed = text.replace("methods = [", 'tables = ["main", "table1"]\nmethods = [', 1)
    spec.write_text(listed, encoding="utf-8")
    where = ("--spec", spec, "--results-dir", studied.results)
    told = w2s("tables", *where)
    assert told.exit_code == 0, told.output
    said = r"further table table1: printed once \d+ more methods have runs; .* run `(.*)`"
    [step] = re.findall(said, told.stderr)
    assert step.startswith("w2s-cache train --method lp-ce,")
    assert "tp-ce" not in told.stdout
    asked = w2s("tables", *where, "--table", "table1")
    assert "CE + TP" in asked.stdout
