"""Laws of which records may stand in one table."""

import pytest

from w2s_cache.errors import RecordError
from w2s_cache.tables.comparable import check_comparable


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("dataset of the table is 'office' or 'pocket'", {"dataset": "office"}),
        ("strong of the table is 'ViT-B-32' or 'pocket-clip'", {"strong": "ViT-B-32"}),
        ("weak of the table is 'alexnet' or 'resnet10t'", {"weak": "alexnet"}),
        ("inputs.index_digest of art", {"inputs": {"index_digest": "other"}}),
        ("counts.eval of art is 20 or 21", {"counts": {"eval": 21}}),
        ("config.tau of cpl is 0.1 or 0.2", {"config": {"tau": 0.2, "steps": {"lr": 0.01}}}),
        ("config.steps.lr of cpl is 0.01 or 0.5", {"config": {"tau": 0.1, "steps": {"lr": 0.5}}}),
        ("config.steps.lr of cpl is 0.01 or absent", {"config": {"tau": 0.1}}),
    ],
)
def test_each_difference_is_named(make, field, changes):
    """The message has the field, where it differs and both values."""
    with pytest.raises(RecordError, match="do not belong in one table") as caught:
        check_comparable([make("cpl", "art"), make("cpl", "art", 1, **changes)])
    assert field in str(caught.value)


@pytest.mark.parametrize("field", ["hold_fraction", "split_seed", "eval_split"])
def test_a_protocol_that_differs_is_named(make, field):
    """Results of different divisions or evaluation splits never share a table."""
    protocol = make("cpl", "art").protocol | {field: "other"}
    with pytest.raises(RecordError, match=rf"protocol.{field} of the table is .*'other'"):
        check_comparable([make("cpl", "art"), make("lp-kd", "art", protocol=protocol)])


def test_what_follows_from_another_model_is_not_named_beside_it(make):
    """Another weak model has other logits; the message names the model alone."""
    inputs = {"index_digest": "i", "logits_key": "b"}
    one = make("cpl", "art", inputs=inputs | {"logits_key": "a"})
    with pytest.raises(RecordError, match=r"found weak of the table is [^;]*\. Filter"):
        check_comparable([one, make("cpl", "art", 1, weak="alexnet", inputs=inputs)])
    with pytest.raises(RecordError, match=r"found inputs.logits_key of art is [^;]*\. Filter"):
        check_comparable([one, make("cpl", "art", 1, inputs=inputs)])


def test_all_differences_are_named_at_once(make):
    """One message lists every field that differs."""
    other = make("cpl", "art", 1, weak="alexnet", strong="ViT-B-32")
    with pytest.raises(RecordError, match=r"strong of.*weak of"):
        check_comparable([make("cpl", "art"), other])


def test_methods_may_differ_in_configuration_and_selection(make):
    """Each method has its own settings; selection is printed, not compared between methods."""
    oracle = make("cpl", "art").protocol | {"select": "oracle"}
    check_comparable([make("cpl", "art"), make("lp-kd", "art", config={"x": 1}, protocol=oracle)])


def test_one_method_has_one_selection(make):
    """A row whose seeds were selected in different ways is refused."""
    oracle = make("cpl", "art").protocol | {"select": "oracle"}
    with pytest.raises(RecordError, match=r"protocol.select of cpl"):
        check_comparable([make("cpl", "art"), make("cpl", "art", 1, protocol=oracle)])


def test_domains_have_their_own_inputs(make):
    """Different domains are different images."""
    check_comparable([make("cpl", "art"), make("cpl", "real", counts={"eval": 99})])


def test_domains_of_one_pair_of_models_are_of_one_request(make):
    """Domains extracted with different templates are not averaged."""
    art, real = (
        make("cpl", domain, inputs={"index_digest": domain, "request_digest": request})
        for domain, request in (("art", "plain"), ("real", "openai7"))
    )
    with pytest.raises(RecordError, match="request_digest of the table is 'openai7' or 'plain'"):
        check_comparable([art, real])


def test_every_pair_of_models_has_a_request_of_its_own(make):
    """Where columns are models, their requests differ."""
    check_comparable(
        [
            make("cpl", "art", strong=name, inputs={"index_digest": "i", "request_digest": name})
            for name in ("ViT-B-32", "ViT-B-16")
        ],
        "strong",
    )


def test_an_input_that_is_not_read_differs_from_nothing(make):
    """A method without text features stands beside one that has them."""
    texts = [{"index_digest": "i", "text_key": text} for text in ("t", None)]
    check_comparable([make("cpl", "art", inputs=texts[0]), make("lp-kd", "art", inputs=texts[1])])


def test_refusals_are_not_compared_by_configuration(make):
    """A method that did not run has no settings to differ."""
    refused = make("cpl", "real", status="not-applicable", reason="x", metrics={}, config={})
    check_comparable([make("cpl", "art"), refused])


def test_two_records_for_one_place_are_refused(make):
    """A repeated seed would count twice."""
    twin = make("cpl", "art", inputs={"index_digest": "index of art", "text_key": "t"})
    with pytest.raises(RecordError, match="two records of cpl on art with seed 0"):
        check_comparable([make("cpl", "art"), twin])
