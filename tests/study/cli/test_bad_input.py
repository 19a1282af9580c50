"""Bad input gives one line with the field, the value and what is allowed, exit code 2, and writes nothing."""

import shutil
from pathlib import Path

import pytest
from click.testing import Result

from tests.study.conftest import WriteStudy
from tests.study.running import invoke

#: What is replaced in the tiny study, and what the line must say.
FAULTS = {
    "unknown loss": (("[losses.kcl]", "[losses.simsiam]"), ["losses.simsiam", "allowed are", "dhel"]),
    "misspelt loss": (("[losses.kcl]\nt = [2.0]", "[losses.dhell]"), ["losses.dhell", "did you mean dhel?"]),
    "misspelt encoder": (('"small_conv"', '"smal_conv"'), ["smal_conv", "did you mean small_conv?"]),
    "misspelt data set": (('"digits"', '"digit"'), ["digit", "did you mean digits?"]),
    "misspelt field": (("temperature =", "temprature ="), ["losses.ntxent", "did you mean temperature?"]),
    "misspelt key": (("train_limit", "trainlimit"), ["data.trainlimit", "did you mean train_limit?"]),
    "misspelt axis": (("batch_size =", "batchsize ="), ["axes.batchsize", "did you mean batch_size?"]),
    "unknown key": (("steps = 3", "steps = 3\nbatch = 4"), ["training.batch", "unknown key", "lr_rule"]),
    "unknown key at the top": (('task = "images"', 'tasks = "images"'), ["tasks", "unknown key", "metric"]),
    "unknown field of a loss": (("t = [2.0]", "tau = [2.0]"), ["losses.kcl", "tau", "gamma"]),
    "unknown axis": (("batch_size = [8, 16]", "batch_size = [8]\nwidth = [4]"), ["axes.width", "lr"]),
    "unknown data set": (('name = "digits"', 'name = "mnist"'), ["mnist", "allowed are", "cifar10"]),
    "unknown encoder": (('name = "small_conv"', 'name = "vit"'), ["vit", "resnet18"]),
    "unknown probe": (('suite = ["probe10"]', 'suite = ["probe7"]'), ["probe.suite", "probe7", "probe10"]),
    "metric that is not measured": (('"probe10_accuracy"', '"knn_accuracy"'), ["metric", "knn", "suite"]),
    "temperature of zero": (("[0.1, 0.5]", "[0.1, 0]"), ["losses.ntxent", "temperature", "0", "> 0"]),
    "negative temperature": (("[0.1, 0.5]", "[-0.1]"), ["losses.ntxent", "temperature", "-0.1", "> 0"]),
    "temperature that is no number": (("[0.1, 0.5]", "[nan]"), ["losses.ntxent", "temperature", "nan"]),
    "infinite temperature": (("[0.1, 0.5]", "[inf]"), ["losses.ntxent", "temperature", "inf"]),
    "temperature as text": (("[0.1, 0.5]", '["warm"]'), ["losses.ntxent", "temperature", "warm"]),
    "temperature as truth": (("[0.1, 0.5]", "[true]"), ["losses.ntxent", "temperature", "True"]),
    "batch of one": (("[8, 16]", "[1]"), ["axes.batch_size", "got 1", "2 to 200"]),
    "batch above the data": (("[8, 16]", "[8, 201]"), ["axes.batch_size", "got 201", "2 to 200"]),
    "a batch in quotes": (("[8, 16]", '["8", 16]'), ["axes.batch_size", "got '8'", "whole number"]),
    "half a pair": (("[8, 16]", "[8.5]"), ["axes.batch_size", "8.5", "whole number"]),
    "empty axis": (("[8, 16]", "[]"), ["axes.batch_size", "empty"]),
    "empty axis of a loss": (("[0.1, 0.5]", "[]"), ["losses.ntxent.temperature", "empty"]),
    "no batch size": (("batch_size = [8, 16]", "lr = [0.1]"), ["axes.batch_size", "missing"]),
    "repeated value": (("[8, 16]", "[8, 8]"), ["axes.batch_size", "8", "once"]),
    "no seeds": (("seeds = [0, 1]", "seeds = []"), ["seeds"]),
    "seeds as a number": (
        ("seeds = [0, 1]", "seeds = 5"),
        ["seeds: got 5, must be a list such as [0, 1, 2]"],
    ),
    "seeds absent": (("seeds = [0, 1]", ""), ["seeds", "missing"]),
    "repeated seeds": (("seeds = [0, 1]", "seeds = [1, 1]"), ["seeds", "1", "once"]),
    "negative seed": (("seeds = [0, 1]", "seeds = [-1]"), ["seeds", "-1"]),
    "seed with a fraction": (("seeds = [0, 1]", "seeds = [0.5]"), ["seeds", "0.5"]),
    "no losses": (
        ("[losses.ntxent]\ntemperature = [0.1, 0.5]\n[losses.kcl]\nt = [2.0]", "[losses]"),
        ["losses"],
    ),
    "no budget": (("steps = 3", ""), ["training", "epochs", "steps"]),
    "two budgets": (("steps = 3", "steps = 3\nepochs = 1"), ["training", "exactly one"]),
    "rate of zero": (("t = [2.0]", "t = [2.0]\nlr = 0"), ["lr", "0", "above 0"]),
    "another kernel without its scale": (
        ("t = [2.0]", 'kernel = "riesz"'),
        ["losses.kcl.t", "missing", "gaussian"],
    ),
    "a variant without its rate": (
        ("t = [2.0]", "t = [2.0]\ngamma = 2"),
        ["losses.kcl.lr", "missing", "gamma = 16"],
    ),
    "swept momentum of two": (("[8, 16]", "[8]\nmomentum = [0.9, 2]"), ["axes.momentum", "2", "less than 1"]),
    "half an epoch": (("[8, 16]", "[8]\nepochs = [0.5]"), ["axes.epochs", "0.5"]),
    "swept rate of nothing": (("[8, 16]", "[8]\nlr = [-1]"), ["lr", "-1", "above 0"]),
    "range turned round": (
        ("[0.1, 0.5]", "{ log = [2.0, 0.1], points = 3 }"),
        ["temperature", "larger high"],
    ),
    "range of one number": (
        ("[0.1, 0.5]", "{ log = 0.1, points = 3 }"),
        ["temperature: log: must be two numbers, [low, high], got {'log': 0.1, 'points': 3}"],
    ),
    "range of one point": (("[0.1, 0.5]", "{ log = [0.1, 2.0], points = 1 }"), ["temperature", "points"]),
    "log range from zero": (("[0.1, 0.5]", "{ log = [0, 2.0], points = 3 }"), ["temperature", "above 0"]),
    "a range that is whole in words": (
        ("[0.1, 0.5]", '{ log = [1, 9], points = 3, whole = "yes" }'),
        ["losses.ntxent.temperature: whole: got 'yes'"],
    ),
    "a range with an end in quotes": (
        ("[0.1, 0.5]", '{ log = ["0.1", 2.0], points = 3 }'),
        ["temperature: log: must be two numbers"],
    ),
    "points of a list": (
        ("[0.1, 0.5]", "{ values = [0.1, 0.5], points = 3 }"),
        ["temperature: points: unknown key; allowed are values, measure"],
    ),
    "stacked in words": (
        ("[axes]", '[resources]\nstacked = "yes"\n[axes]'),
        ["resources.stacked: got 'yes', must be true or false"],
    ),
    "a number in quotes": (
        ("[axes]", '[resources]\ntime_limit = "60"\n[axes]'),
        ["resources.time_limit: got '60', must be a number"],
    ),
    "a number in place of a table": (
        ("[axes]", "[resources]\n[search]\nearly_stopping = 3\n[axes]"),
        ["search.early_stopping: got 3, must be a table"],
    ),
    "a probe twice": (
        ('suite = ["probe10"]', 'suite = ["probe10", "probe10"]'),
        ["probe.suite: got 'probe10' more than once"],
    ),
    "points as a number": (("t = [2.0]", "points = 3"), ["losses.kcl.points: must be a list of tables"]),
    "points as numbers": (("t = [2.0]", "points = [3]"), ["losses.kcl.points: must be a list of tables"]),
    "points as a table": (
        ("t = [2.0]", "points = { t = 3 }"),
        ["losses.kcl.points: must be a list of tables"],
    ),
    "tables in place of values": (
        ("t = [2.0]", "t = [{ gaussian = 2.0 }]"),
        ["losses.kcl.t: got a list of tables, which only points can be"],
    ),
    "one trial twice": (
        ("[losses.kcl]", '[losses.again]\nloss = "ntxent"\ntemperature = [0.1]\n[losses.kcl]'),
        ["same trial"],
    ),
    "limit above the data": (("train_limit = 200", "train_limit = 5000"), ["train_limit", "5000", "997"]),
    "more labels than images": (('"probe10"]', '"probe10", "probe100"]'), ["probe100", "200"]),
    "own loss that is not there": (
        ("[losses.kcl]\nt = [2.0]", '[losses."no.such:Loss"]\nlr = 0.1'),
        ["no.such"],
    ),
    "own loss that is not finite": (
        (
            "[losses.kcl]\nt = [2.0]",
            '[losses."tests.study.own_loss:Explodes"]\nhow = ["nan"]\nat = 4\nlr = 0.1',
        ),
        ["Explodes at at = 4, how = 'nan'", "got nan, must be a finite"],
    ),
    "data at an absolute path": (('"digits"', '"folder:/nope"'), ["/nope", "absolute path"]),
    "reference that is no loss": (
        ('task = "images"', 'task = "images"\nreference = "dcl"'),
        ["reference", "dcl"],
    ),
    "no TOML": (('name = "tiny"', "name = "), ["tiny.toml", "not a TOML file"]),
    "a name with a slash": (('name = "tiny"', 'name = "../tiny"'), ["name", "../tiny"]),
    "more processors than there are": (
        ("[axes]", "[resources]\ncpus_per_trial = 100000\n[axes]"),
        ["cpus_per_trial", "100000"],
    ),
    "a GPU where none is": (("[axes]", "[resources]\ngpus_per_trial = 64\n[axes]"), ["gpus_per_trial", "64"]),
}


def assert_refused(result: Result, store: Path, said: list[str]) -> None:
    assert result.exit_code == 2, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    for word in said:
        assert word in lines[0]
    assert not store.exists()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_study_file(fault: str, write_study: WriteStudy, tmp_path: Path) -> None:
    replacement, said = FAULTS[fault]
    store = tmp_path / "store"
    study = write_study(replacement)
    result = invoke("run", study, "--store", store)
    assert_refused(result, store, said)
    of_the_machine = fault.startswith(("more processors", "a GPU"))
    assert of_the_machine or result.stderr.startswith("study: tiny.toml: ")
    # `plan` shows what would run elsewhere too, so it does not ask for this machine's resources.
    if not of_the_machine:
        assert_refused(invoke("plan", study, "--store", store), store, said)


def test_a_study_that_is_not_there(tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert_refused(
        invoke("run", "quickstrat", "--store", store), store, ["quickstrat", "did you mean quickstart?"]
    )
    assert_refused(invoke("run", tmp_path / "absent.toml", "--store", store), store, ["absent.toml"])
    assert_refused(invoke("run", tmp_path, "--store", store), store, ["cannot read"])


def test_an_empty_file_is_told_all_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "empty.toml").touch()
    said = ["empty.toml: name, seeds, training, losses, data, encoder: are missing"]
    assert_refused(invoke("plan", tmp_path / "empty.toml"), tmp_path / "store", said)


def test_a_range_says_once_what_came(write_study: WriteStudy) -> None:
    result = invoke("plan", write_study(("[0.1, 0.5]", "{ log = [-0.05, 2.0], points = 3 }")))
    assert result.stderr.count("got ") == 1
    assert "starts above 0, got [-0.05, 2.0]" in result.stderr


def test_a_study_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    assert_refused(
        invoke("plan", tmp_path / "binary.toml"), tmp_path / "store", ["binary.toml", "not a TOML"]
    )


def test_a_store_that_cannot_be_written(write_study: WriteStudy, tmp_path: Path) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("")
    assert_refused(
        invoke("run", write_study(), "--store", occupied / "store"), occupied / "store", ["--store"]
    )
    assert occupied.read_text() == ""


def test_a_data_root_that_is_no_directory(write_study: WriteStudy, tmp_path: Path) -> None:
    store = tmp_path / "store"
    result = invoke("run", write_study(), "--store", store, "--data-root", tmp_path / "absent")
    assert_refused(result, store, ["--data-root", "absent"])


def test_data_that_is_not_there(write_study: WriteStudy, tmp_path: Path) -> None:
    store = tmp_path / "store"
    study = write_study(('name = "digits"', 'name = "parquet:pictures"'))
    assert_refused(
        invoke("run", study, "--store", store, "--data-root", tmp_path), store, ["pictures", "--data-root"]
    )


def test_a_truncated_parquet_file(write_study: WriteStudy, tmp_path: Path, cifar10_root: Path) -> None:
    store, folder = tmp_path / "store", tmp_path / "data" / "cut"
    folder.mkdir(parents=True)
    for name in ("train.parquet", "test.parquet"):
        shutil.copy(cifar10_root / "cifar10_jpeg" / name, folder)
    with (folder / "train.parquet").open("r+b") as file:
        file.truncate(1_000_000)
    study = write_study(('name = "digits"', 'name = "parquet:cut"'))
    assert_refused(
        invoke("run", study, "--store", store, "--data-root", folder.parent), store, ["train.parquet"]
    )


def test_too_many_workers(write_study: WriteStudy, tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert_refused(
        invoke("run", write_study(), "--store", store, "--workers", "100000"), store, ["--workers", "100000"]
    )


def test_a_trial_that_fits_nothing(write_study: WriteStudy, tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert_refused(invoke("trial", write_study(), "zzz", "--store", store), store, ["zzz", "matches 0"])
