"""Columns of a table are taken for the loss, the seed, an axis, a metric or nothing, by their name and values."""

import numpy as np
import pandas as pd
import pytest

from analysis.fairness.checks import check_fairness
from analysis.report.score_tables import trials_table
from analysis.study_analysis import StudyAnalysis, analyse_table
from analysis.tables.build import table_study
from analysis.tables.mapping import build_mapping
from tests.analysis.tables.example_table import KEYS, ROWS


def study(rows: pd.DataFrame, **keys: object) -> StudyAnalysis:
    return analyse_table(*table_study(rows, build_mapping({**KEYS, **keys})))


def meanings(rows: pd.DataFrame, **keys: object) -> dict[str, str]:
    """What every column was taken for, by the names of columns."""
    _, info = table_study(rows, build_mapping({**KEYS, **keys}))
    return {", ".join(each.columns): f"{each.role}: {each.detail}".rstrip(": ") for each in info.columns}


def test_every_column_is_accounted_for() -> None:
    rows = ROWS.assign(
        val=ROWS["acc"] - 0.01, z_rank=ROWS["acc"], spread=ROWS["acc"] / 3, device="cpu", note=ROWS["acc"]
    )
    rows["note"] += np.arange(len(rows)) / 1000
    assert meanings(rows, selects="val", describes=["spread"]) == {
        "method": "loss: 2 names",
        "run": "seed: 3 values",
        "acc": "metric: higher is better (by its name); shares of 1 (by its name and values)",
        "val": "chooses configurations: higher is better (by its name)",
        "bs": "hyperparameter: 2 values",
        "tau": "hyperparameter: 3 values",
        "spread, z_rank": "representation",
        "device": "protocol",
        "note": "not used: an outcome: changes from seed to seed",
    }
    noise = pd.DataFrame(np.random.default_rng(0).normal(size=(len(ROWS), 9)), columns=list("abcdefghi"))
    wide = meanings(pd.concat([ROWS, noise], axis=1))
    assert wide["a, b, c, d, e, f, g, h, i"] == "not used: an outcome: changes from seed to seed"


def test_rounded_metrics_of_one_seed_are_outcomes_by_their_names() -> None:
    """Values that repeat, and that no second seed shows to change, look like those of a hyperparameter."""
    rows = ROWS[ROWS["run"] == ROWS["run"].iloc[0]]
    rounded = np.arange(len(rows)) // 3 / 10
    found = meanings(rows.assign(iou=rounded, wer=rounded[::-1], **{"Unnamed: 0": np.arange(len(rows))}))
    assert found["iou, wer"] == "not used: an outcome, by its name"
    assert found["Unnamed: 0"] == "not used: housekeeping, by its name"


def test_columns_that_change_from_seed_to_seed_are_outcomes_however_many_they_are() -> None:
    drawn = np.random.default_rng(0).integers(0, 3, size=(len(ROWS), 200))
    rows = pd.concat([ROWS, pd.DataFrame(drawn).add_prefix("c")], axis=1)
    assert study(rows).cells["dhel"].shape == (2, 3)


def test_many_columns_that_may_be_hyperparameters_are_one_line() -> None:
    configuration = ROWS.groupby(["bs", "tau"]).ngroup().to_numpy()
    drawn = np.random.default_rng(0).integers(0, 3, size=(6, 30))[configuration]
    rows = pd.concat([ROWS, pd.DataFrame(drawn).add_prefix("c")], axis=1)
    with pytest.raises(
        ValueError, match=r"columns of loss dhel .*bs, tau, c0.*name those that are with --axis"
    ):
        study(rows)
    assert study(rows, axes=["bs", "tau"]).cells["dhel"].shape == (2, 3)


def test_what_sets_losses_apart_is_no_guess_too_many() -> None:
    """Records of several losses fill many columns, but each loss varies in few."""
    own = {f"hp_p{index}": np.where(ROWS["method"] == "dhel", float(index), np.nan) for index in range(12)}
    swept = ROWS.rename(columns={"bs": "hp_batch_size", "tau": "hp_temperature"}).assign(**own)
    found = swept.assign(**{name: swept[name].fillna(-1.0) for name in own})
    assert study(found).cells["dhel"].shape == (2, 3)


@pytest.mark.parametrize("column", ["method", "run"])
@pytest.mark.parametrize("empty", [None, "  "])
def test_a_row_without_loss_or_seed_is_named(column: str, empty: str | None) -> None:
    rows = ROWS.astype({column: object})
    rows.loc[3, column] = empty
    with pytest.raises(ValueError, match=rf"(loss|seed): row 4 is empty in column '{column}'"):
        study(rows)


def test_a_row_without_status_is_named() -> None:
    rows = ROWS.assign(status="ok")
    rows.loc[2, "status"] = None
    with pytest.raises(ValueError, match="status: row 3 is empty"):
        study(rows)


def test_a_header_alone_has_no_rows_whatever_is_asked_of_it() -> None:
    with pytest.raises(ValueError, match="it has no rows"):
        study(ROWS.iloc[:0], selects="val_acc")


def test_whole_seeds_stay_what_they_are() -> None:
    rows = ROWS.assign(run=10.0 * ROWS["run"])
    assert study(rows).cells["dhel"].seeds.tolist() == [10, 20, 30]


def test_columns_that_describe_are_measured_and_need_not_have_a_prefix() -> None:
    spread = ROWS["acc"] / 3
    found = study(ROWS.assign(spread=spread), describes=["spread"], axes=["bs", "tau"])
    assert found.info.describes == ("spread",)
    assert np.isfinite(found.cells["dhel"].raw["spread"]).all()
    assert {"acc", "spread"} <= set(trials_table(found))
    assert "spread" not in study(ROWS.assign(spread=spread), axes=["bs", "tau"]).cells["dhel"].raw
    with pytest.raises(ValueError, match="no column 'sprad'; did you mean spread"):
        study(ROWS.assign(spread=spread), describes=["sprad"])


def test_facts_of_the_protocol_reach_the_cards() -> None:
    rows = ROWS.assign(epochs=12, device="cpu", encoder=18)
    cards = {card.title: card for card in check_fairness(study(rows))}
    assert cards["Budget"].text == "The same in every trial: epochs 12."
    assert cards["Hardware"].level == "pass"
    assert "encoder 18" in cards["Protocol"].text
    told = study(rows.assign(epochs=np.where(rows["method"] == "dhel", 24, 12)))
    assert {card.title: card.level for card in check_fairness(told)}["Budget differs"] == "fail"


def test_the_worst_outcome_is_the_worst_of_its_own_column() -> None:
    rows = ROWS.assign(val_acc=ROWS["acc"] - 0.2)
    metric = study(rows, selects="val_acc").info.metric
    assert (metric.worst, metric.worst_selecting) == pytest.approx(
        (ROWS["acc"].min(), ROWS["acc"].min() - 0.2)
    )
    metric = study(rows, selects="val_acc", worst=0.1).info.metric
    assert (metric.worst, metric.worst_selecting) == (0.1, 0.1)
    rows = ROWS.assign(err=-ROWS["acc"], val_err=-ROWS["acc"] + 0.2)
    metric = study(rows, metric="err", selects="val_err", axes=["bs", "tau"]).info.metric
    assert (metric.worst, metric.worst_selecting) == pytest.approx(
        (rows["err"].max(), rows["err"].max() + 0.2)
    )


def test_an_empty_value_beside_one_other_is_a_hyperparameter_where_rows_need_it() -> None:
    decayed = pd.concat(
        [ROWS.assign(weight_decay=None), ROWS.assign(weight_decay=0.1, acc=ROWS["acc"] + 0.01)]
    )
    decayed = decayed.reset_index(drop=True)
    assert meanings(decayed)["weight_decay"] == "hyperparameter: 1 value"
    partly = ROWS.assign(weight_decay=[0.1, None] * (len(ROWS) // 2))
    assert "weight_decay" not in study(partly).cells["dhel"].axes[-1].name


def test_a_column_that_follows_another_is_no_axis() -> None:
    found = meanings(ROWS.assign(lr=ROWS["bs"] / 1000))
    assert found["lr"] == "follows bs: no hyperparameter of its own"
    assert study(ROWS.assign(lr=ROWS["bs"] / 1000)).cells["dhel"].shape == (2, 3)


def test_a_curve_is_no_table_of_trials() -> None:
    curve = pd.concat([ROWS.assign(epoch=epoch) for epoch in (1, 2)], ignore_index=True)
    with pytest.raises(ValueError, match="a trial has several rows, one for each epoch; keep the last row"):
        study(curve)


def test_values_that_never_repeat_are_asked_about_where_they_may_be_drawn() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "method": ["a", "b"] * 10,
            "run": 0,
            "lr": rng.random(20),
            "tau": rng.random(20),
            "foo": rng.random(20),
        }
    ).assign(acc=rng.random(20))
    with pytest.raises(ValueError, match="the values of foo never repeat: drawn hyperparameters or outcomes"):
        study(rows)
    _, info = table_study(rows, build_mapping({**KEYS, "ignore": ["foo"]}))
    assert info.drawn
    assert meanings(rows, ignore=["foo"])["foo"] == "not used: by --ignore"


def test_names_of_losses_are_asked_for_where_two_columns_may_have_them() -> None:
    rows = ROWS.rename(columns={"method": "criterion"}).assign(algorithm=ROWS["method"])
    with pytest.raises(ValueError, match="criterion, algorithm may name the losses; say which with --loss"):
        table_study(rows, build_mapping({"metric": "acc", "seed": "run"}))


def test_a_column_called_loss_that_is_measured_names_no_loss() -> None:
    rows = ROWS.assign(loss=np.arange(len(ROWS)) / 7)
    _, info = table_study(rows, build_mapping({"metric": "acc", "seed": "run"}))
    assert [arm.label for arm in info.arms] == ["simclr", "dhel"]


def test_a_setting_that_differs_between_losses_is_a_failed_check() -> None:
    rows = ROWS.assign(backbone=ROWS["method"].map({"simclr": "r18", "dhel": "r50"}))
    assert meanings(rows)["backbone"] == "differs between losses: r18 of simclr, r50 of dhel"
    cards = {card.title: card for card in check_fairness(study(rows))}
    assert cards["Settings differ between losses"].level == "fail"
    assert "backbone: r18 of simclr, r50 of dhel" in cards["Settings differ between losses"].text
    found = study(rows)
    assert found.decisions is not None
    assert {item.reason for item in found.decisions.items} == {"backbone: r18 for simclr, r50 for dhel"}
    own_rates = ROWS.assign(lr=ROWS["method"].map({"simclr": 0.1, "dhel": 0.2}))
    cards = {card.title: card for card in check_fairness(study(own_rates))}
    assert cards["Settings differ between losses"].level == "warn"


def test_a_setting_of_the_protocol_that_differs_fails_one_check() -> None:
    for column, values, title in (
        ("weight_decay", (1e-4, 1e-3), "Protocol differs"),
        ("epochs", (10, 20), "Budget differs"),
    ):
        found = study(
            ROWS.assign(**{column: ROWS["method"].map(dict(zip(("simclr", "dhel"), values, strict=True)))})
        )
        assert [card.title for card in check_fairness(found) if card.level == "fail"] == [title]
        assert found.decisions is not None
        words = column.replace("_", " ")
        told = f"{words}: {values[0]:g} for simclr, {values[1]:g} for dhel"
        assert {item.reason for item in found.decisions.items} == {told}


def test_a_loss_that_lacks_a_value_of_the_main_axis_is_a_failed_check() -> None:
    rows = ROWS[(ROWS["method"] == "simclr") | (ROWS["tau"] < 0.4)]
    cards = {card.title: card for card in check_fairness(study(rows))}
    assert cards["Space"].level == "fail"
    assert "tried at different values of tau" in cards["Space"].text


def test_numbers_that_are_equal_but_for_rounding_are_one_value() -> None:
    tau = ROWS["tau"].where(ROWS["run"] != 1, ROWS["tau"].astype("float32").astype(float))
    cells = study(ROWS.assign(tau=tau)).cells["dhel"]
    assert cells.shape == (2, 3)
    assert cells.axes[1].values.tolist() == pytest.approx([0.1, 0.2, 0.4])
    assert not cells.missing.any()


def test_a_number_of_each_configuration_is_no_axis() -> None:
    rows = ROWS.assign(config_number=ROWS.groupby(["bs", "tau"]).ngroup(), lr=ROWS["tau"] * ROWS["bs"] / 256)
    found = meanings(rows)
    assert found["config_number"] == "follows the others: no hyperparameter of its own"
    assert found["lr"] == "follows the others: no hyperparameter of its own"
    assert study(rows).cells["dhel"].shape == (2, 3)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "fold",
            "column fold may number repetitions; then add --seed fold. Otherwise add --axis fold or --ignore",
        ),
        ("split", "column split may name data sets or parts of the data; then add --data split"),
        ("success", "column success may tell which trials failed; then name a column of words"),
    ],
)
def test_what_may_be_something_else_than_a_hyperparameter_is_asked_for(name: str, said: str) -> None:
    rows = pd.concat([ROWS.assign(**{name: value}) for value in (0, 1)], ignore_index=True)
    with pytest.raises(ValueError, match=said):
        study(rows)
    assert study(rows, axes=["bs", "tau", name]).cells


def test_epochs_that_change_from_seed_to_seed_are_asked_about() -> None:
    rows = ROWS.assign(epochs=np.random.default_rng(0).integers(50, 100, len(ROWS)))
    with pytest.raises(ValueError, match="epochs changes from seed to seed: a hyperparameter, or an outcome"):
        study(rows)
    assert study(rows, ignore=["epochs"]).cells["dhel"].shape == (2, 3)


def test_without_a_batch_size_two_hyperparameters_are_the_axes() -> None:
    rows = ROWS.rename(columns={"bs": "lr"})
    cells = study(rows).cells["dhel"]
    assert [axis.name for axis in cells.axes] == ["hp_lr", "hp_tau"]
    assert cells.shape == (2, 3)


def test_a_failure_must_not_be_better_than_what_finished() -> None:
    with pytest.raises(ValueError, match=r"worst: got 0\.99, which is better than the worst finished trial"):
        study(ROWS, worst=0.99)


def test_named_levels_of_an_index_are_columns() -> None:
    assert study(ROWS.set_index(["method", "run"])).cells["dhel"].shape == (2, 3)
    with pytest.raises(ValueError, match="rows: got str, must be a DataFrame"):
        study("rows.csv")  # type: ignore[arg-type]


def test_words_of_a_cluster_are_statuses() -> None:
    rows = ROWS.assign(State="COMPLETED")
    rows.loc[[0, 1], "State"] = ["CANCELLED by 1000", "OUT_OF_MEMORY"]
    found = study(rows)
    assert meanings(rows)["State"] == (
        "status: COMPLETED as ok (34), CANCELLED by 1000 as pruned (1), OUT_OF_MEMORY as oom (1)"
    )
    assert found.summaries["simclr"].failed == 1
    rows.loc[2, "State"] = "ZOMBIE"
    with pytest.raises(ValueError, match="status: got 'zombie'"):
        study(rows)


def search(*, seeds: int, own: bool = False, names: tuple[str, ...] = ("tau", "wd")) -> pd.DataFrame:
    """A random search: 12 configurations of each loss, with common seeds or each with a seed of its own."""
    rng, rows = np.random.default_rng(0), []
    for loss in ("infonce", "dhel"):
        for _ in range(12):
            drawn = dict(zip(names, 10 ** rng.uniform(-3, 0, size=len(names)), strict=True))
            for seed in rng.integers(0, 10**9, size=1) if own else range(seeds):
                rows.append({"method": loss, "run": seed, **drawn, "acc": rng.uniform(0.5, 0.9)})
    return pd.DataFrame(rows)


@pytest.mark.parametrize("names", [("tau", "wd"), ("tau",), ("foo", "bar"), ("foo",)])
def test_a_random_search_with_several_seeds_is_drawn(names: tuple[str, ...]) -> None:
    _, info = table_study(search(seeds=3, names=names), build_mapping(KEYS))
    assert info.drawn
    assert {f"hp_{name}" for name in names} <= {axis.name for axis in info.arms[0].axes}


@pytest.mark.parametrize("names", [("tau", "wd"), ("tau",)])
def test_a_random_search_with_a_seed_for_each_configuration_is_drawn(names: tuple[str, ...]) -> None:
    findings = study(search(seeds=1, own=True, names=names))
    assert findings.info.drawn
    assert {len(cells.codes) for cells in findings.cells.values()} == {12}
    assert all(summary.mean.unit == "configurations and seeds" for summary in findings.summaries.values())


@pytest.mark.parametrize("own", [True, False])
def test_unknown_columns_that_never_repeat_are_asked_for(own: bool) -> None:
    rows = search(seeds=1, own=own, names=("foo", "bar")).assign(lr=0.1)
    with pytest.raises(ValueError, match="foo, bar never repeat: drawn hyperparameters or outcomes"):
        study(rows)
    assert study(rows, axes=["foo", "bar"]).info.drawn


def test_an_uneven_grid_of_one_axis_is_no_search() -> None:
    rows = pd.DataFrame(
        [
            {"method": loss, "run": seed, "tau": tau, "acc": 0.8 + tau / 10}
            for loss in ("infonce", "dhel")
            for tau in (0.05, 0.07, 0.1, 0.2, 0.3, 0.5, 0.8)
            for seed in range(3)
        ]
    )
    assert not study(rows).info.drawn
