"""Designs in a study file draw the trials that they name, keep losses paired, and refuse what does not fit."""

import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from study.cli.main import main
from study.plan import read_plan
from study.report.study_table import study_info
from study.spec.expand import TrialSet, expand, planned_rows
from study.spec.load import load_spec
from tests.study.conftest import WriteStudy
from tests.study.running import invoke
from trainables.store.records import RecordStore

#: What makes the tiny study one of drawn points, over ranges of both axes.
RANGES = (
    ("batch_size = [8, 16]", "batch_size = { log = [8, 64] }"),
    ("temperature = [0.1, 0.5]", "temperature = { log = [0.1, 1.0] }"),
    ("t = [2.0]", "t = { log = [0.5, 8.0] }"),
)
GAMMAS = 'gamma = [2.0, 16.0]\nlr = 0.1\nt = { "2.0" = 1, "16.0" = [2, 3] }'
KERNELS = ("t = [2.0]", 'kernel = ["gaussian", "log", "imq"]\nlr = 0.1')


def search(**keys: Any) -> tuple[str, str]:
    lines = "\n".join(f"{key} = {value!r}" for key, value in keys.items())
    return "[axes]", f"[search]\n{lines}\n[axes]"


SOBOL = search(design="sobol", points=8, design_seed=3)


def expanded(path: Path) -> TrialSet:
    return expand(load_spec(str(path)).spec, None)


def points(trial_set: TrialSet, arm: int) -> list[dict[str, Any]]:
    return [dict(point) for point in trial_set.arms[arm].points]


def trial_ids(path: Path) -> set[str]:
    return {trial.keys.trial_id for trial in expanded(path).trials}


@pytest.mark.parametrize("design", ["sobol", "random"])
def test_drawn_points_lie_in_the_ranges(design: str, write_study: WriteStudy) -> None:
    trial_set = expanded(write_study(*RANGES, search(design=design, points=8)))
    assert len(trial_set.trials) == 2 * 8 * 2  # losses, points, seeds
    assert len({trial.keys.config_id for trial in trial_set.trials}) == 2 * 8
    for point in points(trial_set, 0):
        assert 8 <= point["batch_size"] <= 64
        assert isinstance(point["batch_size"], int)
        assert 0.1 <= point["temperature"] <= 1.0


@pytest.mark.parametrize("design", ["sobol", "random"])
def test_losses_are_paired_point_by_point(design: str, write_study: WriteStudy) -> None:
    """At each point, batch sizes are equal, and temperature and kernel scale are at one position of their ranges."""
    trial_set = expanded(write_study(*RANGES, search(design=design, points=8)))
    for one, other in zip(points(trial_set, 0), points(trial_set, 1), strict=True):
        assert one["batch_size"] == other["batch_size"]
        place = math.log10(one["temperature"] / 0.1)  # in a range of a factor of 10, 0 to 1
        assert other["t"] == pytest.approx(0.5 * 16**place, rel=1e-4)
    rows = planned_rows(trial_set)
    assert {row["point"] for row in rows} == set(range(8))


def test_one_file_gives_the_same_points_and_another_seed_others(write_study: WriteStudy) -> None:
    ids = trial_ids(write_study(*RANGES, SOBOL))
    assert trial_ids(write_study(*RANGES, SOBOL)) == ids
    assert not trial_ids(write_study(*RANGES, search(design="sobol", points=8, design_seed=4))) & ids


@pytest.mark.parametrize("design", ["sobol", "random"])
def test_more_points_keep_those_that_were_there(design: str, write_study: WriteStudy) -> None:
    few = trial_ids(write_study(*RANGES, search(design=design, points=4)))
    many = trial_ids(write_study(*RANGES, search(design=design, points=16)))
    assert few < many
    assert len(many) == 4 * len(few)


def test_another_loss_or_axis_keeps_the_points(write_study: WriteStudy) -> None:
    before = points(expanded(write_study(*RANGES, SOBOL)), 0)
    more = (
        "[losses.ntxent]",
        "[losses.dhel]\nenergy_weight = { log = [0.5, 2.0] }\nlr = 0.1\n[losses.ntxent]",
    )
    assert points(expanded(write_study(*RANGES, SOBOL, more)), 1) == before
    rate = ("t = { log", "lr = { log = [0.01, 1.0] }\nt = { log")
    assert points(expanded(write_study(*RANGES, SOBOL, rate)), 0) == before


def test_a_drawn_loss_without_values_takes_all_of_its_default_range(write_study: WriteStudy) -> None:
    trial_set = expanded(write_study(RANGES[0], ("temperature = [0.1, 0.5]", ""), SOBOL, RANGES[2]))
    temperatures = [point["temperature"] for point in points(trial_set, 0)]
    assert len(set(temperatures)) == 8
    assert 0.03125 <= min(temperatures) < max(temperatures) <= 2.0


def test_lists_are_categories_of_a_drawn_design(write_study: WriteStudy) -> None:
    trial_set = expanded(write_study(RANGES[1], RANGES[2], SOBOL))
    sizes = [point["batch_size"] for point in points(trial_set, 0)]
    assert sorted(sizes) == [8] * 4 + [16] * 4


LISTED = (
    search(design="list"),
    ("temperature = [0.1, 0.5]", "points = [{ temperature = 0.1 }, { temperature = 0.5, batch_size = 64 }]"),
    ("t = [2.0]", '[[losses.kcl.points]]\nkernel = "imq"\nt = 1.5\nlr = 0.2\n[[losses.kcl.points]]\nt = 3.0'),
)


def test_a_list_says_its_configurations(write_study: WriteStudy) -> None:
    trial_set = expanded(write_study(*LISTED))
    assert points(trial_set, 0) == [
        {"batch_size": 8, "lr": 0.1, "temperature": 0.1},
        {"batch_size": 16, "lr": 0.1, "temperature": 0.1},
        {"batch_size": 64, "lr": 0.1, "temperature": 0.5},
    ]
    assert points(trial_set, 1)[0] == {"batch_size": 8, "lr": 0.2, "kernel": "imq", "t": 1.5}
    assert points(trial_set, 1)[2] == {"batch_size": 8, "lr": 0.16, "t": 3.0}
    assert trial_set.arms[1].lr == (0.2, 0.16)
    assert len(trial_set.trials) == (3 + 4) * 2


def test_a_list_may_do_without_axes(write_study: WriteStudy) -> None:
    study = write_study(
        ("[axes]\nbatch_size = [8, 16]", '[search]\ndesign = "list"'),
        ("temperature = [0.1, 0.5]", "points = [{ temperature = 0.1, batch_size = 8, epochs = 2 }]"),
        ("[losses.kcl]\nt = [2.0]", ""),
    )
    (trial, _) = expanded(study).trials
    training = trial.config.task.training
    assert (training.batch_size, training.epochs, training.steps) == (8, 2, None)


def test_kernels_have_their_own_ranges(write_study: WriteStudy) -> None:
    trial_set = expanded(write_study(KERNELS))
    scales: dict[Any, set[float]] = {}
    for point in points(trial_set, 1):
        scales.setdefault(point["kernel"], set()).add(point["t"])
    assert {kernel: (min(values), max(values)) for kernel, values in scales.items()} == {
        "gaussian": (0.25, 16.0),
        "log": (0.25, 16.0),
        "imq": (0.707107, 5.65685),
    }


def test_cases_replace_the_default_ranges_that_they_name(write_study: WriteStudy) -> None:
    cases = "\nt = { imq = [1, 2], log = { log = [0.5, 1.0], points = 2, measure = 'linear' } }"
    trial_set = expanded(write_study((KERNELS[0], KERNELS[1] + cases)))
    imq = {point["t"] for point in points(trial_set, 1) if point["kernel"] == "imq"}
    assert imq == {1, 2}
    assert len(points(trial_set, 1)) == 2 * (5 + 2 + 2)
    assert trial_set.arms[1].measures["t"] == {"gaussian": "log", "log": "linear", "imq": "log"}


def test_cases_may_be_of_any_field(write_study: WriteStudy) -> None:
    forms = 'loss = "dhel"\nform = ["released", "halved"]\nlr = 0.1\n'
    forms += "temperature = { released = [0.1], halved = [0.5] }"
    trial_set = expanded(write_study(("temperature = [0.1, 0.5]", forms), ("t = [2.0]", GAMMAS)))
    assert {(point["form"], point["temperature"]) for point in points(trial_set, 0)} == {
        ("released", 0.1),
        ("halved", 0.5),
    }
    assert {(point["gamma"], point["t"]) for point in points(trial_set, 1)} == {
        (2.0, 1),
        (16.0, 2),
        (16.0, 3),
    }


def test_rates_may_be_cases_too(write_study: WriteStudy) -> None:
    cases = "lr = { gaussian = 0.16, log = 0.1, imq = 0.05 }"
    trial_set = expanded(write_study((KERNELS[0], KERNELS[1].replace("lr = 0.1", cases))))
    rates = {point["kernel"]: point["lr"] for point in points(trial_set, 1)}
    assert rates == {"gaussian": 0.16, "log": 0.1, "imq": 0.05}


def test_drawn_kernels_share_the_points(write_study: WriteStudy) -> None:
    trial_set = expanded(write_study(*RANGES[:2], KERNELS, search(design="sobol", points=16)))
    kernels = [point["kernel"] for point in points(trial_set, 1)]
    assert len(kernels) == 16
    assert all(kernels.count(kernel) in (5, 6) for kernel in ("gaussian", "log", "imq"))


def test_every_axis_has_a_measure_that_no_id_knows(write_study: WriteStudy) -> None:
    plain = write_study(("[0.1, 0.5]", "{ log = [0.1, 0.5], points = 3 }"))
    (one, _), ids = expanded(plain).arms, trial_ids(plain)
    other = write_study(("[0.1, 0.5]", "{ log = [0.1, 0.5], points = 3, measure = 'linear' }"))
    assert one.measures == {"batch_size": "log", "lr": "log", "temperature": "log"}
    assert expanded(other).arms[0].measures["temperature"] == "linear"
    assert trial_ids(other) == ids


@pytest.mark.slow
def test_measures_reach_the_report(write_study: WriteStudy, tmp_path: Path) -> None:
    study = write_study(("[0.1, 0.5]", "{ log = [0.1, 0.5], points = 3, measure = 'linear' }"), KERNELS)
    study_file = load_spec(str(study))
    info = study_info(
        read_plan(study_file.spec, expand(study_file.spec, None), RecordStore(tmp_path / "store")), study_file
    )
    assert [axis.measure for axis in info.arms[0].axes[:2]] == ["log", "linear"]
    assert info.arms[1].main.cases == ("hp_kernel", {"gaussian": "log", "log": "log", "imq": "log"})
    invoke("run", study, "--store", tmp_path / "store", "--runner", "inline")
    page = (tmp_path / "store" / "studies" / "tiny" / "report.html").read_text()
    assert "The study names other measures" in page
    assert "log and linear" in page


def test_the_default_of_a_loss_of_ones_own_is_its_own(write_study: WriteStudy, tmp_path: Path) -> None:
    """The default of `margin: float = 0.1` is 0.1, not the middle of the swept values."""
    own = '[losses."tests.study.own_loss:FailsAtHalf"]\nmargin = [0.1, 0.2, 0.3]\nlr = 0.1'
    kcl = "[losses.kcl]\nt = [1.0, 2.0]\ngamma = [8.0, 16.0]\nlr = 0.1"
    study_file = load_spec(str(write_study(("[losses.kcl]\nt = [2.0]", f"{own}\n{kcl}"))))
    arms = study_info(
        read_plan(study_file.spec, expand(study_file.spec, None), RecordStore(tmp_path / "store")), study_file
    ).arms
    defaults = [{axis.name: axis.default for axis in arm.axes} for arm in arms]
    assert defaults[1] == {"hp_batch_size": None, "hp_margin": 0.1, "hp_lr": None}
    assert defaults[2] == {"hp_batch_size": None, "hp_t": 2.0, "hp_lr": None, "hp_gamma": 16.0}


FAULTS = {
    "empty budget": ((search(design="sobol", points=0),), ["search.points: got 0, must be at least 1"]),
    "no budget": ((search(design="random"),), ["search", "points is missing", "random"]),
    "holes": ((search(design="sobol", points=12),), ["search", "12", "power of two", "8 or 16"]),
    "budget of a grid": ((search(design="grid", points=8),), ["search", "points", "design is grid"]),
    "seed of a grid": ((search(design_seed=8),), ["search", "design_seed", "design is grid"]),
    "unknown design": ((search(design="latin"),), ["search.design", "latin", "sobol"]),
    "grid of a range without points": (RANGES[:1], ["axes.batch_size", "points is missing"]),
    "grid of a loss's range without points": (
        RANGES[1:2],
        ["losses.ntxent", "temperature", "points is missing"],
    ),
    "few values": ((SOBOL,), ["losses.ntxent", "4 of the 8 points differ"]),
    "points of a grid": (
        (("temperature = [0.1, 0.5]", "points = [{ temperature = 1 }]"),),
        ["losses.ntxent.points", "search.design is grid"],
    ),
    "list without points": ((search(design="list"),), ["losses.ntxent.points", "missing"]),
    "empty list": (
        (*LISTED[:1], ("[0.1, 0.5]", "[0.1, 0.5]\npoints = []")),
        ["losses.ntxent.points", "empty"],
    ),
    "point that is no table": (
        (*LISTED[:1], ("[0.1, 0.5]", "[0.1]\npoints = [{ temperature = 1 }, 2]")),
        ["losses.ntxent.points", "2", "table"],
    ),
    "point with a list": (
        (*LISTED[:1], ("temperature = [0.1, 0.5]", "points = [{ temperature = [1] }]")),
        ["losses.ntxent.points", "[1]"],
    ),
    "point of an unknown field": (
        (*LISTED[:1], LISTED[2], ("temperature = [0.1, 0.5]", "points = [{ t = 1 }]")),
        ["losses.ntxent.points.1.t: unknown key", "temperature"],
    ),
    "unknown field of a drawn loss": (
        (*RANGES[:2], ("t = [2.0]", "tau = [2.0]"), SOBOL),
        ["losses.kcl", "tau", "gamma"],
    ),
    "point of another loss": (
        (*LISTED[:1], LISTED[2], ("temperature = [0.1, 0.5]", "points = [{ loss = 'dhel' }]")),
        ["losses.ntxent.points.1.loss"],
    ),
    "rate in two places": (
        (("[8, 16]", "[8, 16]\nlr = [0.1, 1.0]"), ("t = [2.0]", "t = [2.0]\nlr = 0.1")),
        ["losses.kcl.lr", "one place"],
    ),
    "configuration listed twice": (
        (
            *LISTED[:1],
            LISTED[2],
            ("temperature = [0.1, 0.5]", "points = [{ temperature = 1 }, { temperature = 1.0 }]"),
        ),
        ["same trial"],
    ),
    "batch size that the axis lacks": (
        (("t = [2.0]", "t = [2.0]\nbatch_size = [16, 4]"),),
        ["losses.kcl.batch_size: got 4", "axes.batch_size"],
    ),
    "values of an axis that the study lacks": (
        (("t = [2.0]", "t = [2.0]\nweight_decay = 0.1"),),
        ["losses.kcl.weight_decay", "[axes]"],
    ),
    "cases of the values of a shared axis": (
        (("t = [2.0]", 't = [2.0]\nbatch_size = { "2.0" = 8 }'),),
        ["losses.kcl.batch_size", "cases"],
    ),
    "batch size of one drawn loss": (
        (*RANGES[:2], ("t = [2.0]", "batch_size = 16"), SOBOL),
        ["losses.kcl.batch_size", "search.design is sobol"],
    ),
    "batch size of one listed loss": (
        (*LISTED, ("[losses.kcl]", "[losses.kcl]\nbatch_size = 16")),
        ["losses.kcl.batch_size", "search.design is list"],
    ),
    "riesz without its exponent": (
        (("t = [2.0]", 'kernel = "riesz"'),),
        ["losses.kcl.t", "missing", "gaussian"],
    ),
    "unknown kernel": (
        (("t = [2.0]", 'kernel = ["log", "laplace"]'),),
        ["losses.kcl.kernel", "laplace", "imq"],
    ),
    "case that nothing has": (
        ((KERNELS[0], KERNELS[1] + "\nt = { imq = [1], cauchy = [2] }"),),
        ["losses.kcl.t", "cauchy", "cases"],
    ),
    "case without its field": ((("t = [2.0]", "t = { imq = [1], log = [2] }"),), ["losses.kcl.t", "imq"]),
    "misspelt range": (
        (("[0.1, 0.5]", "{ log = [0.1, 1.0], point = 3 }"),),
        ["losses.ntxent.temperature.point: unknown key (did you mean points?)"],
    ),
    "cases of a shared axis": (
        (("[8, 16]", "{ gaussian = [8], imq = [16] }"),),
        ["axes.batch_size", "gaussian"],
    ),
    "batch above the data in a range": (
        (("[8, 16]", "{ log = [8, 6400] }"), *RANGES[1:], SOBOL),
        ["axes.batch_size", "2 to 200"],
    ),
    "whole numbers that coincide": (
        (("[8, 16]", "{ linear = [8, 10], points = 9 }"),),
        ["axes.batch_size", "more than once"],
    ),
    "value that a loss refuses": (
        (*RANGES[:1], ("[0.1, 0.5]", "{ linear = [-1, 1] }"), RANGES[2], SOBOL),
        ["losses.ntxent", "temperature", "> 0"],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line_and_nothing_is_written(
    fault: str, write_study: WriteStudy, tmp_path: Path
) -> None:
    replacements, said = FAULTS[fault]
    store = tmp_path / "store"
    result = CliRunner().invoke(main, ["run", str(write_study(*replacements)), "--store", str(store)])
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.strip().splitlines()
    for word in said:
        assert word in line
    assert not store.exists()


@pytest.mark.slow
@pytest.mark.parametrize("replacements", [(*RANGES[:2], KERNELS, search(design="sobol", points=4)), LISTED])
def test_points_off_the_grid_run_to_a_report(
    replacements: tuple[tuple[str, str], ...], write_study: WriteStudy, tmp_path: Path
) -> None:
    words = ["run", str(write_study(*replacements)), "--store", str(tmp_path / "store"), "--runner", "inline"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "store" / "studies" / "tiny" / "report.html").is_file()
