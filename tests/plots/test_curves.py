"""Laws of the accuracy curves."""

from dataclasses import replace

import pyarrow as pa
import pytest

from w2s_cache.errors import PlotError
from w2s_cache.plots import draw_figure
from w2s_cache.plots.curves import SIZE, draw_curves, gather_curves

LABELS = {"cpl": "CPL", "lp-kd": "KD + LP"}


def trace(fit, evaluated):
    """Two steps per epoch, measured after the second."""
    both = [(None, None), *[(f, e) for f, e in zip(fit, evaluated, strict=True)]]
    spread = [both[0] if n % 2 == 0 else both[n // 2 + 1] for n in range(2 * len(fit))]
    return pa.table(
        {
            "step": list(range(len(spread))),
            "fit_accuracy": pa.array([f for f, _ in spread], pa.float64()),
            "eval_accuracy": pa.array([e for _, e in spread], pa.float64()),
        }
    )


@pytest.fixture
def study(make):
    """Two methods and two ceilings on one domain with two seeds, and what reads their traces."""
    records = [make(m, seed=s) for m in LABELS for s in (0, 1)]
    records += [make("ceiling-lp", seed=s, accuracy=0.8) for s in (0, 1)]
    records += [make("ceiling-cpl", seed=s, accuracy=0.7 + 0.3 * s) for s in (0, 1)]
    traces = {
        r.run_id: trace([0.2, 0.4 + 0.2 * r.seed], [0.1, 0.3 + 0.2 * r.seed]) for r in records
    }
    return records, lambda record: traces[record.run_id]


def test_points_are_means_over_seeds_at_the_ends_of_epochs(study):
    """Steps count from 1; SD of 40 and 60 is 14.14 percent points by hand."""
    records, read = study
    data = gather_curves(records, LABELS, read)
    assert [curve.label for curve in data.curves] == ["CPL", "KD + LP"]
    assert data.curves[0].steps == (2, 4)
    assert data.curves[0].fit[1] == pytest.approx((50, 200**0.5))
    assert data.curves[0].evaluated[0] == pytest.approx((10, 0))


def test_the_lines_are_weak_model_and_better_ceiling(study):
    """By the mean over seeds: 85 for ceiling-cpl, 80 for ceiling-lp; none without runs."""
    records, read = study
    data = gather_curves(records, LABELS, read)
    assert (data.weak, data.ceiling) == pytest.approx((25, 85))
    without = [r for r in records if r.method in LABELS]
    assert gather_curves(without, LABELS, read).ceiling is None


def lacking(read, *without, trace=None):
    """What reads traces, but for runs of (method, seed) that were trained without curves."""
    return lambda record: trace if (record.method, record.seed) in without else read(record)


@pytest.mark.parametrize("older", [None, trace([None, None], [None, None])])
def test_runs_without_accuracies_are_left_out_with_a_note(study, older):
    """The others are drawn with the seeds they have; how many are not, and what adds them."""
    records, read = study
    data = gather_curves(records, LABELS, lacking(read, ("lp-kd", 1), trace=older))
    assert [(curve.label, curve.seeds) for curve in data.curves] == [
        ("CPL", (0, 1)),
        ("KD + LP", (0,)),
    ]
    assert data.notes[0] == (
        "1 run left out, trained without --curves: lp-kd on art with seed 1; to add them, run "
        "`w2s-cache train --method lp-kd --domain art --seeds 1 --curves`"
    )


def test_a_method_without_any_accuracies_is_left_out_with_a_note(study):
    """It has no curve; one that takes no training step is not sent to `train --curves`."""
    records, read = study
    records.append(replace(records[0], run_id="f", method="zero-shot", selected={}))
    without = lacking(read, ("lp-kd", 0), ("lp-kd", 1), ("zero-shot", 0))
    data = gather_curves(records, {**LABELS, "zero-shot": "Zero-shot"}, without)
    assert [curve.label for curve in data.curves] == ["CPL"]
    assert "--method lp-kd --domain art --seeds 0-1 --curves`" in data.notes[0]
    assert data.notes[1] == "without training steps, left out: zero-shot"


def test_without_any_accuracies_the_runs_are_named_with_the_command(study):
    """Nothing can be drawn: which runs lack what, and how to get it."""
    records, read = study
    bare = [(method, seed) for method in LABELS for seed in (0, 1)]
    with pytest.raises(PlotError) as caught:
        gather_curves(records, LABELS, lacking(read, *bare))
    assert caught.value.found == "none in cpl, lp-kd on art with seeds 0-1"
    assert "train --method cpl,lp-kd --domain art --seeds 0-1 --curves`" in caught.value.fix


def test_methods_without_runs_are_named(study):
    """Nothing is left out silently."""
    records, read = study
    with pytest.raises(PlotError, match="no curves of lp-ce"):
        gather_curves(records, {**LABELS, "lp-ce": "CE + LP"}, read)


def test_the_drawing_follows_the_data(study):
    """Equal data give equal bytes, another number gives others."""
    records, read = study
    data = gather_curves(records, LABELS, read)
    one, again = (draw_figure(lambda f: draw_curves(f, data), size=SIZE) for _ in range(2))
    fewer = gather_curves(records, {"cpl": "CPL"}, read)
    assert one == again
    assert draw_figure(lambda f: draw_curves(f, fewer), size=SIZE)["svg"] != one["svg"]


def test_curves_begin_before_the_first_step(study):
    """Runs that say how they began have a point at step 0; one older run takes it away."""
    records, read = study
    new = []
    for record in records:
        metrics = record.metrics | {"start_fit_accuracy": 0.1 * record.seed, "start_accuracy": 0.3}
        new.append(replace(record, metrics=metrics))
    curve = gather_curves(new, LABELS, read).curves[0]
    assert (curve.steps, curve.evaluated[0]) == ((0, 2, 4), (30, 0))
    assert curve.fit[0] == pytest.approx((5, 50**0.5))
    older = gather_curves([records[0], *new[1:]], LABELS, read)
    assert [curve.steps for curve in older.curves] == [(2, 4), (0, 2, 4)]
    [note] = older.notes
    assert note.startswith("cpl is drawn from the end of the first epoch on: 1 of 2 runs did")
    assert records[0].run_id in note
    assert gather_curves(new, LABELS, read).notes == ()


def test_epochs_that_selection_kept_are_marked(study):
    """Those of any seed, each once; they move with the point at step 0."""
    records, read = study
    chosen = [replace(r, selected={"epoch": 2 - r.seed}) for r in records]
    assert [c.kept for c in gather_curves(chosen, LABELS, read).curves] == [(0, 1), (0, 1)]
    started = {"start_fit_accuracy": 0.1, "start_accuracy": 0.1}
    begun = [replace(r, metrics=r.metrics | started) for r in chosen]
    assert gather_curves(begun, LABELS, read).curves[0].kept == (1, 2)


def test_other_numbers_of_seeds_are_said(study):
    """A method or ceiling of fewer seeds says so in the legend; the others do not."""
    records, read = study
    dropped = ("lp-kd", "ceiling-cpl", "ceiling-lp")
    data = gather_curves([r for r in records if not (r.seed and r.method in dropped)], LABELS, read)
    words = []

    def draw(figure):
        draw_curves(figure, data, title="pocket · art")
        words.extend(text.get_text() for text in figure.legends[0].get_texts())
        words.append(figure.get_suptitle())

    draw_figure(draw, size=SIZE)
    assert "CPL" in words
    assert {"KD + LP (1 seed)", "Strong ceiling (1 seed)", "pocket · art"} <= set(words)
