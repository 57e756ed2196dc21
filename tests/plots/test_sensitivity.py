"""Laws of accuracy against one hyper-parameter."""

from functools import partial

import pytest

from w2s_cache.errors import PlotError, UnknownNameError
from w2s_cache.plots import draw_figure
from w2s_cache.plots.sensitivity import AVERAGE, SIZE, draw_sensitivity, gather_sensitivity

TAUS = (0.01, 0.1, 1)


gather = partial(gather_sensitivity, method="cpl")


def config(**options):
    """What a record says it was trained with."""
    return {"options": options, "recipe": {"lr": 0.01}}


@pytest.fixture
def declared(make):
    """The spec's settings: tau is a list of candidates there."""
    return {"config": config(tau=[1.0, 0.1]), "protocol": make().protocol}


@pytest.fixture
def records(make):
    """Three values on two domains with two seeds; art is 0.4 ± 0.1 whatever the value."""
    return [
        make("cpl", d, s, accuracy=0.4 + 0.2 * s + 0.1 * (d == "sketch"), config=config(tau=tau))
        for tau in TAUS
        for d in ("art", "sketch")
        for s in (0, 1)
    ]


def test_points_are_mean_and_sd_over_seeds(records, declared):
    """50 ± 14.14 on art, 10 more on sketch; the average over domains has the SD of its seeds."""
    data = gather(records, "tau", declared)
    assert [series.label for series in data.series] == ["art", "sketch", AVERAGE]
    assert all(series.values == TAUS for series in data.series)
    for series, mean in zip(data.series, (50, 60, 55), strict=True):
        assert series.points[0] == pytest.approx((mean, 200**0.5))
    assert data.notes == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"config": config(tau=0.3, normalize=True)},
        {"config": {"options": {"tau": 0.3}, "recipe": {"lr": 0.5}}},
        {"config": config(tau=[0.3, 0.1])},
        {"protocol": {"select": "last"}},
        {"status": "not-applicable", "reason": "x", "config": config(tau=0.3)},
        {"config": config(tau=0.3), "inputs": {"index_digest": "x"}, "created": "2025-01-01"},
    ],
)
def test_runs_that_differ_in_anything_else_are_left_out(records, declared, make, changes):
    """Another option, recipe or protocol, a list, no result, or features of the past."""
    other = make("cpl", "art", 0, 0.9, **changes)
    assert gather_sensitivity([*records, other], "tau", declared, method="cpl") == gather(
        records, "tau", declared
    )


def test_missing_runs_are_said_and_not_averaged(records, declared):
    """The average needs every domain with every seed."""
    lacking = [
        r for r in records if (r.domain, r.seed, r.config["options"]["tau"]) != ("art", 1, 1)
    ]
    data = gather(lacking, "tau", declared)
    assert data.notes == (
        "no run at tau=1 of cpl on art with seed 1: "
        "`w2s-cache train --method cpl --domain art --seeds 1 --set tau=1`",
    )
    assert data.series[-1].values == (0.01, 0.1)
    assert data.series[0].values == TAUS


def test_settings_of_the_recipe_are_parameters_too(make, declared):
    """Learning rates are compared the same way."""
    recipes = [
        make(
            "cpl", "art", 0, config={"options": declared["config"]["options"], "recipe": {"lr": lr}}
        )
        for lr in (0.1, 0.01)
    ]
    assert gather(recipes, "recipe.lr", declared).series[0].values == (
        0.01,
        0.1,
    )


def test_an_unknown_parameter_is_refused(records, declared):
    """The nearest known one is offered."""
    with pytest.raises(UnknownNameError, match="Did you mean 'tau'"):
        gather(records, "tua", declared)


def test_one_value_is_no_curve(records, declared):
    """The command that makes more is named."""
    one = [r for r in records if r.config["options"]["tau"] == 1]
    with pytest.raises(PlotError, match=r"found 1\. Run `.* --method cpl --set tau=VALUE`"):
        gather(one, "tau", declared)


@pytest.mark.parametrize(("values", "scale"), [((0.1, 1), "log"), ((0.3, 1), "linear")])
def test_the_axis_is_logarithmic_where_values_span_a_decade(make, declared, values, scale):
    """0.1 to 1 does, 0.3 to 1 does not; ticks stand at the values themselves."""
    runs = [make("cpl", "art", 0, config=config(tau=tau)) for tau in values]
    seen = []

    def draw(figure):
        draw_sensitivity(figure, gather(runs, "tau", declared))
        [panel] = figure.axes
        seen.append((panel.get_xscale(), tuple(panel.get_xticks())))

    draw_figure(draw, size=SIZE)
    assert seen == [(scale, values)]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"domains": ("art", "real")}, r"with domain real.*--domain real --set tau=VALUE"),
        ({"seeds": (0, 3, 4)}, r"with seed 3, 4.*--seeds 3-4 --set tau=VALUE"),
    ],
)
def test_what_is_asked_for_by_name_and_has_no_runs_is_refused(records, declared, asked, told):
    """A domain or seed that no run could show is named with the command that makes runs."""
    with pytest.raises(PlotError, match=told):
        gather(records, "tau", declared, **asked)


@pytest.mark.parametrize(
    ("parameter", "value", "said"),
    [("recipe.epochs", 1_048_576, "1048576"), ("recipe.lr", 0.123456789, "0.123456789")],
)
def test_the_command_for_missing_runs_has_every_digit(make, declared, parameter, value, said):
    """A rounded value would make another run and leave the gap."""
    name = parameter.removeprefix("recipe.")
    runs = [
        make("cpl", "art", seed, config={**config(tau=1.0), "recipe": {name: number}})
        for number, seed in ((1, 0), (1, 1), (value, 0))
    ]
    start = {**declared, "config": {**config(tau=1.0), "recipe": {}}}
    [note] = gather(runs, parameter, start).notes
    assert note.endswith(f"--set {parameter}={said}`")
