"""`study data` describes data sets, and gives one line and exit code 2 for data that are absent or damaged."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from study.cli.plan import show_plan
from study.spec.expand import expand
from study.spec.load import load_spec
from tests.study.conftest import WriteStudy
from tests.study.running import invoke


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two classes of twelve 6x6 images, three of each for testing, and a cache of its own."""
    monkeypatch.setenv("STUDY_CACHE_ROOT", str(tmp_path / "cache"))
    generator = np.random.default_rng(0)
    for part, count in (("train", 12), ("val", 3)):
        for name in ("ape", "bee"):
            (tmp_path / "set" / part / name).mkdir(parents=True)
            for i in range(count):
                pixels = generator.integers(0, 256, (6, 6, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / "set" / part / name / f"{i}.png")
    return tmp_path / "set"


def test_facts_as_json_and_a_cache_that_is_filled(folder: Path) -> None:
    first = invoke("data", "folder:set", "--data-root", folder.parent, "--json")
    assert first.exit_code == 0, first.output
    facts = json.loads(first.stdout)
    counts = {name: part["images"] for name, part in facts["splits"].items()}
    assert counts == {"train": 21, "unlabelled": 0, "validation": 3, "test": 6}
    assert facts["bytes"] == 30 * 3 * 6 * 6 == sum(part["bytes"] for part in facts["splits"].values())
    assert (facts["classes"], facts["channels"], facts["size"]) == (["ape", "bee"], 3, 6)
    assert len(list((folder.parent / "cache" / "images").glob("*.npy"))) == 1
    assert invoke("data", "folder:set", "--data-root", folder.parent, "--json").stdout == first.stdout


def test_facts_as_text(folder: Path) -> None:
    output = invoke("data", f"folder:{folder}", "--size", "4").output
    for line in (
        r"train       21 images, 1,008 bytes",
        r"validation  3 images, 144 bytes",
        r"test        6 images, 288 bytes",
        r"shape       3 x 4 x 4, uint8",
        r"classes     2: ape, bee",
        r"checksum    [0-9a-f]{32}",
        rf"cache       {folder.parent}/cache",
    ):
        assert re.search(f"^{line}$", output, re.MULTILINE), (line, output)
    assert "unlabelled" not in output


def test_what_was_found_and_what_is_not_read(
    folder: Path, write_study: WriteStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    """`study data` shows both; a plan prints what is not read on standard error."""
    notes = ("val is the test split, because there is no test part", "not read: 2 .svg files")
    for name in ("train/ape/a.svg", "val/bee/b.SVG"):
        (folder / name).write_text("")
    facts = json.loads(invoke("data", f"folder:{folder}", "--json").stdout)
    assert facts["found"] == "train from train (24 files); test from val (6 files)"
    assert tuple(facts["notes"]) == notes
    output = invoke("data", f"folder:{folder}").output
    assert f"found       {facts['found']}\nnote        {notes[0]}\nnote        {notes[1]}\n" in output
    study = write_study(
        ('name = "digits"\ntrain_limit = 200\ntest_limit = 60', f'name = "folder:{folder}"'),
        ("batch_size = [8, 16]", "batch_size = [4]"),
    )
    show_plan(str(study), str(folder.parent / "store"), None, as_json=True, timed=False)
    printed = capsys.readouterr()
    assert printed.err == "".join(f"data folder:{folder}: {note}\n" for note in notes)
    assert json.loads(printed.out)["missing"] == 6


def test_a_study_says_classes_and_size(folder: Path, write_study: WriteStudy) -> None:
    """Both are part of the trials' identity, and what is wrong with them is one line."""
    old = ('name = "digits"\ntrain_limit = 200\ntest_limit = 60', "batch_size = [8, 16]")
    ids = set()
    for number, words in enumerate(("size = 8", "size = 9", 'size = 8\nclasses = ["bee", "ape"]')):
        new = (f'name = "folder:{folder}"\n{words}', "batch_size = [4]")
        study_file = load_spec(str(write_study(*zip(old, new, strict=True), name=f"{number}.toml")))
        ids |= {trial.keys.trial_id for trial in expand(study_file.spec, None).trials}
    assert len(ids) == 3 * 2 * 3
    wrong = write_study(('name = "digits"', 'name = "digits"\nclasses = ["1", "x"]'))
    result = invoke("status", wrong)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "data.classes: got 'x'; data 'digits' allows 0, 1" in result.stderr


def test_every_image_is_looked_at(folder: Path) -> None:
    path = folder / "train" / "bee" / "7.png"
    path.write_bytes(path.read_bytes()[:-30])
    result = invoke("data", f"folder:{folder}")
    assert result.exit_code == 2
    assert re.fullmatch(r"study: .*bee/7\.png: the image is damaged .*\n", result.stderr)


def test_a_damaged_image_ends_a_plan_and_a_run_before_anything_is_written(
    folder: Path, write_study: WriteStudy, tmp_path: Path
) -> None:
    path = folder / "train" / "bee" / "7.png"
    path.write_bytes(path.read_bytes()[:-30])
    data = ('"digits"\ntrain_limit = 200\ntest_limit = 60', f'"folder:{folder}"')
    study = write_study(data, ("[8, 16]", "[4, 8]"))
    for command in (["plan"], ["run", "--runner", "inline"]):
        result = invoke(*command, study, "--store", tmp_path / "store")
        assert result.exit_code == 2, result.output
        assert re.search(r"study: .*bee/7\.png: the image is damaged [^\n]*\n$", result.stderr)
        assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("cifar10", "--data-root", "ROOT"),
            "not found at ROOT/cifar-10-batches-py; download it with `study data cifar10",
        ),
        (("imagenet100", "--data-root", "ROOT"), "looked for ROOT/imagenet100"),
        (("folder:none", "--data-root", "ROOT"), "not found at ROOT/none"),
        (("cifar10",), "no data root is set"),
        (("cifar10", "--download"), "--download: no data root is set"),
        (("digits", "--download", "--data-root", "ROOT"), "download: got 'digits'; allowed are cifar10"),
        (("mnist",), "got 'mnist'; allowed are digits"),
        (("digits", "--size", "4"), "data.size: got 4 for 'digits'"),
        (("digits", "--data-root", "ROOT/none"), "--data-root: got 'ROOT/none', must be a directory"),
    ],
)
def test_what_cannot_be_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.delenv("STUDY_DATA_ROOT", raising=False)
    result = invoke("data", *(word.replace("ROOT", str(tmp_path)) for word in words))
    assert result.exit_code == 2
    assert said.replace("ROOT/", f"{tmp_path}/") in result.stderr
    assert result.stderr.startswith("study: ")
    assert result.stderr.count("\n") == 1
