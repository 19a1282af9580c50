"""Bad input gives one line with the field, the value and what is allowed, exit code 2, and writes nothing."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from study.errors import StudyError
from study.spec.expand import expand
from study.spec.load import load_spec
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
    "batch of one": (("[8, 16]", "[1]"), ["axes.batch_size: got 1, must be at least 2"]),
    "batch above the data": (("[8, 16]", "[8, 201]"), ["axes.batch_size", "got 201", "2 to 200"]),
    "a batch in quotes": (("[8, 16]", '["8", 16]'), ["axes.batch_size: got '8', must be a number"]),
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
    "the best epoch without a validation split": (
        (
            '60\n\n[encoder]\nname = "small_conv"\nwidth = 4\nprojection_dim = 8\n\n[training]',
            (
                '60\nvalidation = "none"\n[encoder]\nname = "small_conv"\n[training]\n'
                'evaluated_epoch = "best_validation"'
            ),
        ),
        ["training.evaluated_epoch = best_validation needs validation scores, and data.validation is none"],
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
    "swept momentum of two": (
        ("[8, 16]", "[8]\nmomentum = [0.9, 2]"),
        ["axes.momentum: got 2, must be below 1"],
    ),
    "half an epoch": (("[8, 16]", "[8]\nepochs = [0.5]"), ["axes.epochs", "0.5"]),
    "swept rate of nothing": (("[8, 16]", "[8]\nlr = [-1]"), ["lr", "-1", "above 0"]),
    "range turned round": (
        ("[0.1, 0.5]", "{ log = [2.0, 0.1], points = 3 }"),
        ["temperature", "larger high"],
    ),
    "range of one number": (
        ("[0.1, 0.5]", "{ log = 0.1, points = 3 }"),
        ["temperature.log: must be two numbers, [low, high], got {'log': 0.1, 'points': 3}"],
    ),
    "range of one point": (("[0.1, 0.5]", "{ log = [0.1, 2.0], points = 1 }"), ["temperature", "points"]),
    "log range from zero": (("[0.1, 0.5]", "{ log = [0, 2.0], points = 3 }"), ["temperature", "above 0"]),
    "a range that is whole in words": (
        ("[0.1, 0.5]", '{ log = [1, 9], points = 3, whole = "yes" }'),
        ["losses.ntxent.temperature.whole: got 'yes'"],
    ),
    "a range with an end in quotes": (
        ("[0.1, 0.5]", '{ log = ["0.1", 2.0], points = 3 }'),
        ["temperature.log: must be two numbers"],
    ),
    "points of a list": (
        ("[0.1, 0.5]", "{ values = [0.1, 0.5], points = 3 }"),
        ["temperature.points: unknown key; allowed are values, measure"],
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


_DHEL = ("[losses.kcl]", '[losses.dhel]\nform = "relesed"\n[losses.kcl]')
_LIST = ("[axes]", '[search]\ndesign = "list"\n[axes]')
_CLAIM = '[[claims]]\nname = "a"\nclaim = ""\npaper = ""\n'
_POINT = ("temperature = [0.1, 0.5]", "points = [{ temprature = 0.1 }]")

#: The whole line of faults that hide a missing key, of sizes and numbers without sense, and of misspelt names.
LINES = {
    "form": ((_DHEL,), "losses.dhel.form: got 'relesed' (did you mean released?), must be one of"),
    "kernel": (
        (("t = [2.0]", 'kernel = "gausian"\ngamma = 2'),),
        "losses.kcl.kernel: got 'gausian' (did you mean gaussian?), must be one of",
    ),
    "field beside a missing rate": (
        (("t = [2.0]", 'gama = 2\nkernel = "imq"'),),
        "losses.kcl.gama: unknown key (did you mean gamma?); allowed are",
    ),
    "case": (
        (("t = [2.0]", 'kernel = ["gaussian", "imq"]\nt = { gausian = [1.0], imq = [2.0] }'),),
        "losses.kcl.t.gausian: unknown case (did you mean gaussian?)",
    ),
    "phi": (
        (("[losses.kcl]", '[losses.general]\nphi = "expp"\n[losses.kcl]'),),
        "losses.general.phi: got 'expp' (did you mean exp?), must be one of linear, hinge",
    ),
    "loss by key": (
        (("[losses.kcl]", '[losses.a]\nloss = "ntxnt"\n[losses.kcl]'),),
        "losses.a.loss: unknown loss 'ntxnt' (did you mean ntxent?)",
    ),
    "field of a point": (
        (_LIST, _POINT),
        "losses.ntxent.points.1.temprature: unknown key (did you mean temp",
    ),
    "metric": (
        (('"probe10_accuracy"', '"probe10_acuracy"'),),
        "metric: got 'probe10_acuracy' (did you mean probe10_accuracy?), must be one of probe1_accuracy",
    ),
    "task": (
        (('"images"', '"image"'),),
        "task: got 'image' (did you mean images?), must be one of images, sphere, diagnostic",
    ),
    "optimizer": (
        (("steps = 3", 'steps = 3\noptimizer = "sdg"'),),
        "training.optimizer: got 'sdg' (did you mean sgd?), must be one of sgd, lars",
    ),
    "a warm-up longer than the budget": (
        (("steps = 3", "epochs = 2\nwarmup_epochs = 10"),),
        "training.warmup_epochs: got 10, must be below the budget: 50 steps, which are 2 epochs of 25 steps at",
    ),
    "hidden layers of a linear head": (
        (("width = 4", "width = 4\nhead_hidden = []\nhead_hidden_batch_norm = true"),),
        "encoder.head_hidden_batch_norm: got true, but head_hidden = [] is a head without hidden layers",
    ),
    "views": (
        (('name = "digits"', 'name = "digits"\nviews = "cifr"'),),
        "data.views: got 'cifr' (did you mean cifar?); allowed are digits, cifar, imagenet, none",
    ),
    "no views": ((('name = "digits"', 'name = "digits"\nviews = ""'),), "data.views: got ''; allowed are"),
    "axis on absent data": (
        (('"digits"', '"cifar10"'), ("[8, 16]", "[8]\nmomentm = [0.9]")),
        "axes.momentm: unknown axis (did you mean momentum?); allowed are batch_size",
    ),
    "measure": (
        (("[0.1, 0.5]", '{ values = [0.1], measure = "logg" }'),),
        "losses.ntxent.temperature.measure: got 'logg' (did you mean log?), must be one of log, linear, each",
    ),
    "rate of a loss": ((("t = [2.0]", "t = [2.0]\nlr = -1"),), "losses.kcl.lr: got -1, must be above 0"),
    "rate on the axes": ((("[8, 16]", "[8]\nlr = [-1]"),), "axes.lr: got -1, must be above 0"),
    "value of a loss": ((("[0.1, 0.5]", "[-0.1]"),), "losses.ntxent.temperature: got -0.1, must be"),
    "combination": (
        (("[losses.kcl]", '[losses.general]\nphi = "linear"\npsi = "log"\nlr = 1\n[losses.kcl]'),),
        "losses.general.phi: got 'linear', must give values > 0",
    ),
    "all images vote": (
        (('["probe10"]', '["probe10", "knn"]'), ("draws = 2", "knn_k = 200")),
        "probe.knn_k: got 200, must be below 200, the labelled training images that are searched",
    ),
    "votes without a temperature": (
        (("draws = 2", 'knn_weights = "exponential"\nknn_temperature = 0'),),
        "probe.knn_temperature: got 0, must be at least",
    ),
    "weights of another distance": (
        (("draws = 2", 'knn_weights = "exponential"\nknn_distance = "euclidean"'),),
        "probe.knn_weights: got 'exponential', must be uniform with knn_distance = euclidean",
    ),
    "schedule of a probe": (
        (("draws = 2", 'adam_schedule = "step"'),),
        "probe.adam_schedule: got 'step', must be one of cosine, linear, constant",
    ),
    "a test class is absent": (
        (("test_limit = 60", "test_limit = 9"),),
        "data.test_limit: got 9, which leaves a class without images; data 'digits' needs 10 or more",
    ),
    "a training class is absent": (
        (("train_limit = 200", "train_limit = 9"), ('["probe10"]', '["probe1"]'), ("probe10_", "probe1_")),
        "data.train_limit: got 9, which leaves a class without images",
    ),
    "less than a batch": (
        (("steps = 3", "samples = 5"),),
        "training.samples: got 5, must be at least one batch of 8 images",
    ),
    "less than a swept batch": (
        (("[8, 16]", "[8]\nsamples = [5]"),),
        "axes.samples: got 5, must be at least one batch of 8 images",
    ),
    "more than 64 bits": (
        (("steps = 3", f"steps = {10**199}"),),
        "training.steps: got 1.000e+199, must be below 2^63",
    ),
    "an axis with more than 64 bits": (
        (("[8, 16]", f"[8, {10**30}]"),),
        "axes.batch_size: got 1.000e+30, must be below 2^63",
    ),
    "a timer of for ever": (
        (("[axes]", "[resources]\ntime_limit = 1e308\n[axes]"),),
        "resources.time_limit: got 1e+308, must be at most 1000000000",
    ),
    "a crumb of a GPU": (
        (("[axes]", "[resources]\ngpus_per_trial = 1e-9\n[axes]"),),
        "resources.gpus_per_trial: got 1e-09, must be 0, a share of one GPU from 0.0001 to 1",
    ),
    "width": ((("width = 4", "width = 1048577"),), "encoder.width: got 1048577, must be at most 2^20"),
    "draws": ((("draws = 2", "draws = 1001"),), "probe.draws: got 1001, must be at most 1000"),
    "empty label": (
        (("[losses.kcl]", '[losses.""]\nloss = "dcl"\n[losses.kcl]'),),
        "losses: got a label without characters",
    ),
    "a grid without end": (
        (
            ("[0.1, 0.5]", "{ log = [0.1, 1.0], points = 9000 }"),
            ("[8, 16]", "{ linear = [2, 9], points = 8 }"),
        ),
        "losses.ntxent: 72,000 configurations with 2 seeds are 144,000 trials; at most resources.max_trials = 50",
    ),
    "an axis without end": (
        (("[8, 16]", str(list(range(2, 20_002)))),),
        "axes.batch_size: got 20,000 values, at most 10,000 are allowed; a design that draws points",
    ),
    "cases without end": (
        (("[0.1, 0.5]", "{" + ",".join(f"k{number} = [1.0]" for number in range(2000)) + "}"),),
        "losses.ntxent.temperature: got a table with 2,000 keys, at most 1,000 are allowed",
    ),
    "losses without end": (
        (("[losses.kcl]", "".join(f"[losses.l{number}]\n" for number in range(1000)) + "[losses.kcl]"),),
        "losses: got 1,002 entries, at most 1,000 are allowed",
    ),
    "claims without end": (
        (
            (
                "[losses.kcl]",
                "[[claims]]\nname = 'a'\nclaim = ''\npaper = ''\nuntestable = 'x'\n" * 201 + "[losses.kcl]",
            ),
        ),
        "claims: got 201 entries, at most 200 are allowed",
    ),
    "momentum of Adam": (
        (
            ("steps = 3", 'steps = 3\noptimizer = "adam"'),
            ("[8, 16]", "[8]\nlr = [0.001]\nmomentum = [0.1, 0.9]"),
        ),
        "axes.momentum: has 2 values and no effect here, because it needs training.optimizer = sgd or lars",
    ),
    "points without end": (
        (
            ("temperature = [0.1, 0.5]", f"points = [{'{ temperature = 0.1 },' * 30_000}]"),
            ("[axes]", '[search]\ndesign = "list"\n[axes]'),
        ),
        "losses.ntxent.points: 30,000 configurations with 2 seeds are 60,000 trials; at most resources.max_trials",
    ),
    "trials without end": (
        (("[axes]", "[resources]\nmax_trials = 9223372036854775807\n[axes]"),),
        "resources.max_trials: got 9223372036854775807, must be at most 1000000",
    ),
    "a long label": (
        (("[losses.kcl]", f'[losses."{"x" * 300}"]\nloss = "dcl"\n[losses.kcl]'),),
        f"losses: got the label '{'x' * 99} ..., must have at most 200 characters",
    ),
    "a long text": (
        (('task = "images"', f'task = "images"\ndescription = "{"x" * 50_000}"'),),
        f"description: got '{'x' * 99} ..., must be a text of at most 10000 characters",
    ),
    "a long key": (
        (('task = "images"', f'task = "images"\n"{"k" * 50_000}" = 1'),),
        f"{'k' * 100} ...: unknown key; allowed are name,",
    ),
    "a long data set": (
        (('name = "digits"', f'name = "{"x" * 50_000}"'),),
        f"data.name: got '{'x' * 99} ...; allowed are digits,",
    ),
    "a long path": (
        (('name = "digits"', f'name = "folder:/{"x" * 10_000}"'),),
        f"data: cannot read /{'x' * 99} ...: File name too long",
    ),
    "a NUL character": (
        (('name = "digits"', 'name = "folder:/a\\u0000b"'),),
        "data: cannot read /a\\x00b: a path has no NUL character",
    ),
    "a date": (
        (("seeds = [0, 1]", "seeds = [2020-01-01]"),),
        "seeds.0: got datetime.date(2020, 1, 1), must be a whole number",
    ),
    "claims of one name": (
        (
            (
                "[losses.kcl]",
                2 * '[[claims]]\nname = "a"\nclaim = ""\npaper = ""\nuntestable = "x"\n' + "[losses.kcl]",
            ),
        ),
        "claims: got name 'a' more than once; each name is allowed once",
    ),
    "column of a claim": (
        (("[losses.kcl]", f'{_CLAIM}at_least = 0.5\ncolumn = "test_probe10_acuracy"\n[losses.kcl]'),),
        "claims.a: got 'test_probe10_acuracy' (did you mean test_probe10_accuracy?), which no trial",
    ),
}


@pytest.mark.parametrize("fault", LINES)
def test_the_first_line_is_the_true_one(fault: str, write_study: WriteStudy, tmp_path: Path) -> None:
    replacements, line = LINES[fault]
    result = invoke("plan", write_study(*replacements), "--store", tmp_path / "store")
    assert_refused(result, tmp_path / "store", [f"study: tiny.toml: {line}"])


def test_a_bound_is_raised_where_the_line_says(write_study: WriteStudy) -> None:
    few = ("[axes]", "[resources]\nmax_trials = 11\n[axes]")
    study = write_study(few)
    said = (
        "losses: 6 configurations with 2 seeds are 12 trials; at most resources.max_trials = 11 are allowed"
    )
    with pytest.raises(StudyError, match=said):
        expand(load_spec(str(study)).spec, None)
    assert (
        len(expand(load_spec(str(write_study((few[0], few[1].replace("11", "12"))))).spec, None).trials) == 12
    )


def test_seeds_by_the_hundred_thousand_are_refused_before_any_trial_is_made(
    write_study: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    monkeypatch.setattr("study.spec.expand.open_task", lambda *told: opened.append(told))
    study = write_study(("seeds = [0, 1]", f"seeds = {list(range(100_000))}"))
    result = invoke("plan", study, "--store", tmp_path / "store")
    said = (
        "seeds: 2 configurations with 100,000 seeds are 200,000 trials; at most resources.max_trials = 50,000"
    )
    assert_refused(result, tmp_path / "store", [said, "a larger value raises this limit"])
    assert opened == []


def test_a_study_file_of_too_many_bytes(write_study: WriteStudy, tmp_path: Path) -> None:
    study = write_study(("seeds = [0, 1]", f"seeds = {list(range(300_000))}"))
    result = invoke("plan", study, "--store", tmp_path / "store")
    said = f"has {study.stat().st_size:,} bytes; at most 800,000 are read; ranges need fewer bytes than lists"
    assert_refused(result, tmp_path / "store", [f"study: cannot read {study}: {said}"])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "is a pipe, must be a regular file"),
        (Path.mkdir, "is a folder, must be a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "must be a regular file"),
        (lambda path: path.symlink_to(path.name), "Symlink loop"),
    ],
)
def test_a_study_that_is_no_regular_file(make: Callable[[Path], object], said: str, tmp_path: Path) -> None:
    make(tmp_path / "study.toml")
    (tmp_path / "own.toml").write_text('name = "own"\nextends = "study.toml"\n')
    for name in ("study.toml", "own.toml"):
        result = invoke("plan", tmp_path / name, "--store", tmp_path / "store")
        assert_refused(result, tmp_path / "store", ["cannot read ", said])


#: Words on the command line that are too long, and the line that they give.
LONG = {
    "values": (
        ("--axis", f"temperature={','.join(map(str, range(1, 20_000)))}"),
        "--axis temperature: got 20,001 values, at most 10,000 are allowed",
    ),
    "digits": (("--seeds", "9" * 50_000), f"--seeds: got '{'9' * 99} ..., must be whole numbers such as"),
    "brackets": (
        ("--axis", f"temperature={'[' * 50_000}"),
        "losses.ntxent.temperature: measure log is for numbers",
    ),
    "name": (("--axis", f"{'x' * 50_000}=1"), f"--axis: got '{'x' * 99} ..., must be one of batch_size"),
    "label": (("--loss", "x" * 50_000), f"losses: got the label '{'x' * 99} ..., must have at most 200"),
    "file": (
        ("--seeds", "7", "--out", f"{'x' * 50_000}.toml"),
        f"init: got {'x' * 100} ..., must have a name",
    ),
    "root": (("--data-root", "x" * 50_000), f"--data-root: got '{'x' * 100} ...', must be a directory"),
}


@pytest.mark.parametrize("kind", LONG)
def test_long_words_on_the_command_line(kind: str, write_study: WriteStudy, tmp_path: Path) -> None:
    words, line = LONG[kind]
    result = invoke("extend", write_study(), *words, "--dry-run", "--store", tmp_path / "store")
    assert_refused(result, tmp_path / "store", [line])
    assert len(result.stderr) < 500


#: Words on the command line, and the line that they give.
USAGES = {
    "no command": (("pla",), "no such command 'pla' (did you mean 'plan'?)"),
    "no option": (("plan", "quickstart", "--stor", "x"), "plan: no such option '--stor' (did you mean "),
    "no study": (("plan",), "plan: STUDY: is missing"),
    "too many": (("plan", "a", "b"), "plan: got unexpected extra argument (b)"),
    "no value": (("plan", "a", "--store"), "option '--store' requires an argument"),
    "no number": (
        ("plan", "a", "--workers", "many"),
        "plan: --workers: got 'many', must be a whole number of at least 1",
    ),
    "too few": (
        ("plan", "a", "--workers", "0"),
        "plan: --workers: got '0', must be a whole number of at least 1",
    ),
    "no choice": (
        ("run", "a", "--runner", "rya"),
        "run: --runner: got 'rya' (did you mean ray?), must be one of",
    ),
    "no float": (("run", "a", "--max-hours", "x"), "run: --max-hours: got 'x', must be a number"),
    "not a number": (("gc", "--older-than", "nan"), "--older-than: got nan, must be a finite number"),
    "for ever": (("status", "quickstart", "--every", "inf"), "--every: got inf, must be a finite number"),
    "seeds of a demo": (
        ("demo", "--seeds", "1001"),
        "demo: --seeds: got '1001', must be a whole number from 1 to 1000",
    ),
    "empty store": (("plan", "quickstart", "--store", ""), "--store: got an empty text"),
    "empty data root": (("plan", "quickstart", "--data-root", " "), "--data-root: got an empty text"),
    "empty study": (("plan", ""), "STUDY: got an empty text"),
    "empty address": (("run", "quickstart", "--address", ""), "--address: got an empty text"),
    "empty folder": (("compare", "a", "--out", ""), "--out: got an empty text"),
    "empty source": (("merge", "a", "", "--into", "b"), "SOURCE...: got an empty text"),
}


@pytest.mark.parametrize("usage", USAGES)
def test_an_error_of_usage_is_one_line(usage: str) -> None:
    words, line = USAGES[usage]
    result = invoke(*words)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"study: {line}")
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_study_alone_shows_its_help() -> None:
    result = invoke()
    assert result.exit_code == 2
    assert "Usage:" in result.stderr
    assert "  plan " in result.stderr


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


def test_data_at_an_absolute_path_that_is_not_there(write_study: WriteStudy, tmp_path: Path) -> None:
    study = write_study(('"digits"', '"folder:/nope"'))
    store = tmp_path / "store"
    assert_refused(invoke("run", study, "--store", store), store, ["/nope", "absolute path"])


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
    for command in ("plan", "run"):
        result = invoke(command, write_study(), "--store", store, "--workers", "100000")
        assert_refused(result, store, ["--workers: got 100000, this machine has room for"])


def test_a_trial_that_fits_nothing(write_study: WriteStudy, tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert_refused(invoke("trial", write_study(), "zzz", "--store", store), store, ["zzz", "matches 0"])
