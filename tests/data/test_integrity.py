"""Is this the DomainNet of the papers?"""

import hashlib

import pytest

from w2s_cache.data import integrity
from w2s_cache.data.classes_domainnet import CLASSES, DOMAINS
from w2s_cache.data.integrity import Finding, check_domainnet
from w2s_cache.data.official_domainnet import (
    DOMAINNET_FILES,
    DOMAINNET_ROWS,
    ORIGINAL_TOTALS,
    Rows,
    Source,
)


def md5(text):
    """Hex md5 of a text."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@pytest.fixture
def complete(listed, monkeypatch):
    """All 345 classes of ``clipart``, one training and one test image each, 't-shirt' test only."""
    rows = [f"clipart/{name}/{{}}.jpg {i}" for i, name in enumerate(CLASSES)]
    train = [row.format("a") for row in rows if "t-shirt" not in row]
    test = [row.format("b") for row in rows]
    monkeypatch.setattr(integrity, "DOMAINNET_ROWS", {"clipart": Rows(train=344, test=345)})
    root = listed(train, test)
    texts = {name: (root / name).read_text() for name in ("clipart_train.txt", "clipart_test.txt")}
    sources = [Source(url="", md5=md5(text), name=name) for name, text in texts.items()]
    return root, {"clipart": sources}


def test_published_figures_are_consistent():
    """Table 2: 409,832 + 176,743 = 586,575 rows; 596,010 images before the cleaning."""
    assert sum(rows.train for rows in DOMAINNET_ROWS.values()) == 409_832
    assert sum(rows.test for rows in DOMAINNET_ROWS.values()) == 176_743
    assert sum(ORIGINAL_TOTALS.values()) == 596_010
    for domain, rows in DOMAINNET_ROWS.items():
        assert 0.69 < rows.train / (rows.train + rows.test) < 0.71
        assert ORIGINAL_TOTALS[domain] >= rows.train + rows.test


def test_official_files_are_three_a_domain_with_md5_sums_that_all_differ():
    """Two lists and an archive for each domain; no md5 was pasted twice."""
    assert set(DOMAINNET_FILES) == set(DOMAINNET_ROWS) == set(DOMAINS)
    sources = [source for files in DOMAINNET_FILES.values() for source in files]
    assert len({source.md5 for source in sources}) == len(sources) == 18
    assert all(len(source.md5) == 32 for source in sources)
    in_groundtruth = {source.name for source in sources if "groundtruth" in source.url}
    assert in_groundtruth == {"clipart.zip", "painting.zip"}


def test_a_complete_domain_is_ok_and_notes_the_missing_t_shirts(complete):
    """Right hashes, right counts, and class 327 without training rows said aloud."""
    root, files = complete
    findings = check_domainnet(root, ["clipart"], files=files)
    assert [finding.level for finding in findings] == ["ok", "ok", "ok", "note"]
    assert "344 training and 345 test rows in 345 classes, as published" in findings[2].text
    assert findings[3].text == "class 327 't-shirt' has no row in clipart_train"


def test_a_file_with_another_md5_is_a_problem(complete):
    """Both sums are named; the rest of the check goes on."""
    root, files = complete
    (root / "clipart.zip").write_text("zip")
    source = Source(url="", md5="0" * 32, name="clipart.zip")
    findings = check_domainnet(root, ["clipart"], files={"clipart": [*files["clipart"], source]})
    text = f"clipart.zip differs from the official file: md5 {md5('zip')}, not {'0' * 32}"
    assert Finding(level="problem", text=text) in findings
    assert len(findings) == 5


def test_other_counts_are_a_problem_and_the_older_release_is_recognised(complete, monkeypatch):
    """Row counts are compared with the published ones, and with those before the cleaning."""
    root, files = complete
    monkeypatch.setattr(integrity, "DOMAINNET_ROWS", {"clipart": Rows(train=300, test=300)})
    problem = [f.text for f in check_domainnet(root, ["clipart"], files=files) if f.level[0] == "p"]
    assert problem == ["clipart: 344 training and 345 test rows; published are 300 and 300"]
    monkeypatch.setattr(integrity, "ORIGINAL_TOTALS", {"clipart": 689})
    problem = [f.text for f in check_domainnet(root, ["clipart"], files=files) if f.level[0] == "p"]
    assert problem[0].endswith("older release, before its cleaning")


def test_other_class_names_and_absent_domains_are_problems_that_do_not_stop_the_check(complete):
    """Each domain's problem is one finding; the domains after it are still checked."""
    root, files = complete
    files = {**files, "real": []}
    levels = [f.level for f in check_domainnet(root, ["real", "clipart"], files=files)]
    assert levels == ["problem", "ok", "ok", "ok", "note"]
    text = (root / "clipart_train.txt").read_text().replace("clipart/axe/", "clipart/ax/")
    (root / "clipart_train.txt").write_text(text)
    findings = check_domainnet(root, ["clipart"], files=files)
    assert any("'ax'" in f.text and f.level == "problem" for f in findings)
