"""Studies of the sphere task use the same file format, commands and store as any other."""

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from study.cli.main import main
from study.errors import StudyError
from study.launch.scheduling import stack_key
from study.spec.expand import expand, planned_rows
from study.spec.load import load_spec
from study.spec.tasks.sphere import sphere_stack_limit
from tests.study.conftest import WriteStudy, study_writer
from tests.trainables.sphere.small import sphere_trial
from trainables.config import TrialConfig
from trainables.store.records import RecordStore

SPHERE = """
name = "balls"
task = "sphere"
seeds = [0, 1]

[sphere]
n_pairs = 8
dim = 16

[training]
steps = 20
lr = 1.0

[axes]
batch_size = [2, 4]
selection = ["full", "shuffle"]

[losses.infonce]
temperature = [0.5, 1.0]
[losses.kcl]
t = [2.0]
gamma = 2.0
lr = 0.3
"""


@pytest.fixture
def write_sphere(tmp_path: Path) -> WriteStudy:
    """Writes the small study of task `sphere`."""
    return study_writer(tmp_path, SPHERE, "balls.toml")


def configs_of(path: Path) -> list[TrialConfig]:
    return [trial.config for trial in expand(load_spec(str(path)).spec, None).trials]


def test_the_grid_is_full(write_sphere: WriteStudy) -> None:
    trial_set = expand(load_spec(str(write_sphere())).spec, None)
    # 2 batch sizes x 2 selections x (2 temperatures + 1 kernel scale) x 2 seeds
    assert len(trial_set.trials) == 24
    assert len({trial.keys.trial_id for trial in trial_set.trials}) == 24
    row = planned_rows(trial_set)[0]
    assert (row["hp_n_pairs"], row["hp_dim"], row["hp_selection"]) == (8, 16, "full")
    assert "hp_epochs" not in row


def test_a_rate_of_ones_own_wins(write_sphere: WriteStudy) -> None:
    configs = configs_of(write_sphere())
    assert {config.task.training.lr for config in configs if config.loss.name == "kcl"} == {0.3}
    assert {config.task.training.lr for config in configs if config.loss.name == "infonce"} == {1.0}
    swept = write_sphere(("[axes]", "[axes]\nlr = [0.1, 0.2]"), ("lr = 0.3", ""))
    assert {config.task.training.lr for config in configs_of(swept)} == {0.1, 0.2}


def test_every_size_and_budget_can_be_swept(write_sphere: WriteStudy) -> None:
    path = write_sphere(
        ("n_pairs = 8\ndim = 16", ""),
        ("batch_size = [2, 4]", "batch_size = [2]\nn_pairs = [4, 8]\ndim = [16, 32]\nsamples = [80, 160]"),
    )
    configs = configs_of(path)
    assert {(c.task.n_pairs, c.task.dim) for c in configs} == {(4, 16), (4, 32), (8, 16), (8, 32)}
    assert {(c.task.training.samples, c.task.training.steps) for c in configs} == {(80, None), (160, None)}


def test_sizes_that_belong_together_are_points(write_sphere: WriteStudy) -> None:
    path = write_sphere(
        (
            "temperature = [0.5, 1.0]",
            "temperature = 1.0\npoints = [{n_pairs = 4, dim = 8}, {n_pairs = 4, dim = 2}]",
        ),
        ("t = [2.0]", "points = [{n_pairs = 16, dim = 8}]"),
        ("[axes]", '[search]\ndesign = "list"\n[axes]'),
    )
    assert {(c.task.n_pairs, c.task.dim) for c in configs_of(path)} == {(4, 8), (4, 2), (16, 8)}


def test_steps_follow_the_selection(write_sphere: WriteStudy) -> None:
    path = write_sphere(("steps = 20", "samples = 80"), ("[2, 4]", "[2]"))
    trial_set = expand(load_spec(str(path)).spec, None)
    steps = {t.config.task.selection.method: trial_set.task.steps(t.config.task) for t in trial_set.trials}
    assert steps == {"full": 10, "shuffle": 40}


def test_fewer_samples_than_pairs_are_enough_for_small_batches(write_sphere: WriteStudy) -> None:
    """A full batch of the 8 pairs does not fit into 7 samples; batches of 2 and 4 do."""
    trial_set = expand(
        load_spec(str(write_sphere(("steps = 20", "samples = 7"), ('"full", ', "")))).spec, None
    )
    configs = [trial.config for trial in trial_set.trials]
    steps = {config.task.training.batch_size: trial_set.task.steps(config.task) for config in configs}
    assert steps == {2: 3, 4: 1}


def test_seeds_rates_and_temperatures_share_a_stack() -> None:
    key = stack_key(sphere_trial())
    assert stack_key(sphere_trial(seed=3, lr=0.1, temperature=0.2)) == key
    for other in ({"batch_size": 4}, {"dim": 9}, {"selection": "fixed"}, {"steps": 7}):
        assert stack_key(sphere_trial(**other)) != key  # type: ignore[arg-type]
    assert sphere_stack_limit(sphere_trial().task) == 256
    assert sphere_stack_limit(sphere_trial(n_pairs=1024, dim=1024).task) == 1


@pytest.mark.parametrize(
    ("replacements", "message"),
    [
        ([("[2, 4]", "[2, 9]"), ('"full", ', "")], "batch_size: got 9, must be from 1 to 8"),
        ([("[2, 4]", "[1]")], "axes.batch_size: got 1, must be at least 2"),
        ([("dim = 16", "dim = 1")], "sphere.dim: got 1, must be at least 2"),
        ([("dim = 16", "")], r"sphere.dim: is missing; give it there or in \[axes\]"),
        (
            [("dim = 16", "dim = 5")],
            "metric: got gram_distance, and no ideal is known for n_pairs = 8 and dim = 5",
        ),
        ([("steps = 20", "")], "training: needs exactly one of steps and samples"),
        ([("steps = 20", "samples = 7")], "training.samples: got 7, which is less than one step uses"),
        ([("lr = 1.0", "")], r"losses.infonce.lr: is missing; give it there, in \[training\] or in \[axes\]"),
        ([("lr = 1.0", ""), ("lr = 0.3", "")], "losses.infonce.lr, losses.kcl.lr: are missing; give it"),
        ([("lr = 1.0", "epochs = 3")], "training.epochs: unknown key; allowed are lr, steps, samples"),
        (
            [("[axes]", "[axes]\nweight_decay = [0.1]")],
            "axes.weight_decay: unknown axis; allowed are batch_size",
        ),
        (
            [("[axes]", "[data]\nname = 'digits'\n[axes]")],
            "data: is for task images, and this is task sphere",
        ),
        ([('"full"', '"half"')], "axes.selection: got 'half', must be one of full"),
        ([("[axes]", "[axes]\nmomentum = [1.5]")], "axes.momentum: got 1.5"),
        ([("[axes]", '[search]\ndesign = "optuna"\ntrials = 2\n[axes]')], "search.design: got optuna"),
        (
            [("[axes]", '[keep]\nencoders = "all"\n[axes]')],
            "keep: encoders and curve_epochs are only for task images",
        ),
        ([('"balls"', '"balls"\nmetric = "knn_accuracy"')], "metric: got 'knn_accuracy'"),
        (
            [('"balls"', '"balls"\nmetric = "optimum_gap"'), ("t = [2.0]", 't = [-3.0]\nkernel = "riesz"')],
            "metric: got optimum_gap, but the minimum of kcl",
        ),
        (
            [('"sphere"\nseeds', '"spheres"\nseeds')],
            r"task: got 'spheres' \(did you mean sphere\?\), must be one of images, sphere",
        ),
    ],
)
def test_bad_input_is_one_line(
    write_sphere: WriteStudy, replacements: list[tuple[str, str]], message: str
) -> None:
    path = write_sphere(*replacements)
    with pytest.raises(StudyError, match=message) as caught:
        configs_of(path)
    assert "\n" not in str(caught.value)


def test_images_have_no_axes_of_the_sphere(write_study: WriteStudy) -> None:
    path = write_study(("batch_size = [8, 16]", "batch_size = [8]\nn_pairs = [8]"))
    with pytest.raises(StudyError, match=r"axes\.n_pairs: unknown axis; allowed are batch_size"):
        expand(load_spec(str(path)).spec, None)


def test_all_subsets_beyond_its_limit_says_how_many(write_sphere: WriteStudy) -> None:
    path = write_sphere(("n_pairs = 8", "n_pairs = 64"), ("dim = 16", "dim = 64"), ("[2, 4]", "[8]"),
                        ('"shuffle"', '"all_subsets"'))  # fmt: skip
    with pytest.raises(StudyError, match="4426165368 batches of 8; at most 100000"):
        expand(load_spec(str(path)).spec, None)


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(words), catch_exceptions=False)
    return result.exit_code, result.output


@pytest.mark.slow
def test_a_study_runs_reports_and_verifies(write_sphere: WriteStudy, tmp_path: Path) -> None:
    path, store = str(write_sphere()), str(tmp_path / "store")
    code, output = run("run", path, "--runner", "inline", "--store", store)
    assert code == 0, output
    rows = RecordStore(Path(store)).read().table.to_pylist()
    assert [row["status"] for row in rows] == ["ok"] * 24
    assert {row["execution_mode"] for row in rows} == {"stacked:eager"}
    assert all(row["optimum_gap"] > 0 for row in rows)
    assert (tmp_path / "store" / "studies" / "balls" / "report.html").exists()
    assert "all 24 trials are done" in run("run", path, "--runner", "inline", "--store", store)[1]
    assert json.loads(run("status", path, "--store", store, "--json")[1])["ok"] == 24
    code, output = run("verify", path, "--store", store, "--sample", "3", "--json")
    assert (code, json.loads(output)["reproduced"]) == (0, 3), output


def test_there_is_no_bench_of_a_sphere(write_sphere: WriteStudy) -> None:
    with pytest.raises(StudyError, match="balls: this command needs a data set"):
        _ = expand(load_spec(str(write_sphere())).spec, None).data


def test_the_metric_is_lower_is_better(write_sphere: WriteStudy, tmp_path: Path) -> None:
    trial_set = expand(load_spec(str(write_sphere())).spec, None)
    records = RecordStore(tmp_path).read().table.to_pandas()
    metric = trial_set.task.metric(records)
    assert (metric.name, metric.higher_is_better, metric.worst) == ("gram_distance", False, 1.0)
    assert metric.selecting_column == metric.reporting_column == "gram_distance"
    found = pd.DataFrame({"gram_distance": [0.2, 3.5, None]})
    assert trial_set.task.metric(found).worst == 3.5
