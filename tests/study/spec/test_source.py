"""A study that extends another merges its file, archives both, and is refused where the two do not fit."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.errors import StudyError
from study.spec.expand import expand
from study.spec.load import load_spec
from study.spec.source import read_source
from study.spec.toml_text import render_toml
from tests.study.conftest import WriteStudy

BASE = """
name = "base"
seeds = [0, 1]
[training]
epochs = 2
lr_rule = "none"
[losses.kcl]
kernel = "imq"
t = { log = [1.0, 2.0], points = 2 }
[losses."own.losses:Mine"]
margin = 1
"""


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return str(path)


def test_tables_merge_and_values_are_replaced(tmp_path: Path) -> None:
    write(tmp_path, "base.toml", BASE)
    own = 'extends = "base.toml"\nname = "own"\nseeds = [5]\n[training]\nepochs = 3\n'
    own += "[losses.kcl]\nt = { linear = [0, 1] }"
    assert read_source(write(tmp_path, "own.toml", own)).tree == {
        "name": "own",
        "seeds": [5],
        "training": {"epochs": 3, "lr_rule": "none"},
        "losses": {"kcl": {"kernel": "imq", "t": {"linear": [0, 1]}}, "own.losses:Mine": {"margin": 1}},
    }


def test_what_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "base.toml", BASE)
    left = """without = ["training.epochs", 'losses."own.losses:Mine"']"""
    own = f'extends = "base.toml"\n{left}\nname = "own"\n[training]\nsteps = 3'
    tree = read_source(write(tmp_path, "own.toml", own)).tree
    assert tree["training"] == {"lr_rule": "none", "steps": 3}
    assert list(tree["losses"]) == ["kcl"]


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    write(tmp_path, "shared/base.toml", BASE)
    write(tmp_path, "shared/middle.toml", 'extends = "base.toml"\nname = "middle"')
    own = write(tmp_path, "own.toml", 'extends = "shared/middle.toml"\nname = "own"')
    assert read_source(own).tree["seeds"] == [0, 1]


def test_a_shipped_study_can_be_extended(tmp_path: Path) -> None:
    own = write(tmp_path, "own.toml", 'extends = "quickstart"\nname = "own"\nseeds = [0, 1, 2, 3, 4, 5]')
    quickstart = {trial.keys.trial_id for trial in expand(load_spec("quickstart").spec, None).trials}
    assert quickstart < {trial.keys.trial_id for trial in expand(load_spec(own).spec, None).trials}


def test_the_text_says_the_same_on_its_own(write_study: WriteStudy, tmp_path: Path) -> None:
    write_study()
    own = write(
        tmp_path, "own.toml", '# why\nextends = "tiny.toml"\nname = "own"\n[losses.dhel]\ntemperature = [0.3]'
    )
    study_file = load_spec(own)
    alone = load_spec(write(tmp_path, "alone/own.toml", study_file.text))
    assert alone.spec == study_file.spec
    assert "# # why" in study_file.text
    assert str(tmp_path) not in study_file.text


@pytest.mark.parametrize("name", ["a\nb = 1\n.toml", "a\x1b[31m\r.toml", "a\udcff.toml"])
def test_a_file_name_ends_no_comment_of_the_text(name: str, write_study: WriteStudy, tmp_path: Path) -> None:
    write_study(name=name)
    own = write(tmp_path, "own.toml", f'extends = {json.dumps(name)}\nname = "own"')
    if "\udcff" in name:  # no TOML text can name it
        own = write(tmp_path, name, 'extends = "quickstart"\nname = "own"')
    text = load_spec(own).text
    assert load_spec(write(tmp_path, "alone/own.toml", text)).spec == load_spec(own).spec
    assert text.encode().decode().replace("\n", "").isprintable()


def test_a_study_that_extends_none_keeps_its_text(write_study: WriteStudy) -> None:
    path = write_study()
    assert load_spec(str(path)).text == path.read_text()


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ('extends = "absent.toml"', ["own.toml, extends", "absent.toml", "No such file"]),
        ('extends = "quickstrat"', ["own.toml, extends", "quickstrat", "quickstart"]),
        ("extends = 3", ["own.toml", "extends", "3"]),
        ('extends = "own.toml"', ["own.toml, extends", "circle"]),
        ('extends = "circle.toml"', ["circle.toml, extends", "circle"]),
        ('extends = "broken.toml"', ["own.toml, extends", "broken.toml", "not a TOML file"]),
        ('extends = "base.toml"', ["own.toml", "name", "missing"]),
        ('extends = "base.toml"\nwithout = ["losses.dcl"]', ["without", "losses.dcl", "base.toml"]),
        ('extends = "base.toml"\nwithout = ["seeds.0"]', ["without", "seeds.0"]),
        ('extends = "base.toml"\nwithout = ["="]', ["without", "="]),
        ('extends = "base.toml"\nwithout = "seeds"', ["without", "seeds", "list"]),
        ('without = ["seeds"]', ["without", "extends"]),
        ("extend = 1", ["unknown key", "extends"]),
    ],
)
def test_what_cannot_be_extended(own: str, said: list[str], tmp_path: Path) -> None:
    write(tmp_path, "base.toml", BASE)
    write(tmp_path, "broken.toml", "name = ")
    write(tmp_path, "circle.toml", 'extends = "own.toml"')
    with pytest.raises(StudyError) as raised:
        load_spec(write(tmp_path, "own.toml", own))
    assert "\n" not in str(raised.value)
    for word in said:
        assert word in str(raised.value)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)
PLAIN = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXTS
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4), st.dictionaries(TEXTS, VALUES, max_size=2))
def test_what_is_rendered_reads_back(tree: dict[str, Any], losses: dict[str, Any]) -> None:
    document = tree | {"losses": losses}
    assert tomllib.loads(render_toml(document)) == document


def test_a_chain_of_studies_has_an_end(tmp_path: Path) -> None:
    for number in range(3000):
        write(tmp_path, f"{number}.toml", f'name = "a"\nextends = "{number + 1}.toml"\n')
    with pytest.raises(
        StudyError, match=r"16\.toml: extends: more than 16 studies extend one another; put the"
    ):
        read_source(str(tmp_path / "0.toml"))


def test_the_bytes_of_a_chain_are_counted_together(tmp_path: Path) -> None:
    for number in range(3):
        text = f'name = "a"\nextends = "{number + 1}.toml"\n# {"x" * 399_900}\n'
        write(tmp_path, f"{number}.toml", text)
    with pytest.raises(
        StudyError,
        match=r"2\.toml: the studies that extend one another have more than 800,000 bytes together",
    ):
        read_source(str(tmp_path / "0.toml"))


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ('"a\\u0000b.toml"', r"cannot read 'a\\x00b.toml': a path has no NUL character"),
        (f'"{"x" * 10_000}.toml"', f"cannot read {'x' * 100} ...: File name too long"),
        (f"[{'1,' * 50_000}]", r"got \[1, 1.* \.\.\., must be a path"),
    ],
)
def test_a_base_that_no_file_can_be(base: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=said) as caught:
        read_source(write(tmp_path, "own.toml", f'name = "own"\nextends = {base}\n'))
    assert len(str(caught.value)) < 300


def test_a_path_of_many_parts_to_leave_out(tmp_path: Path) -> None:
    text = f'name = "own"\nextends = "quickstart"\nwithout = ["{"a." * 30_000}a"]\n'
    with pytest.raises(
        StudyError, match=r"without: got 'a\.a\..* \.\.\., which quickstart does not have"
    ) as caught:
        read_source(write(tmp_path, "own.toml", text))
    assert len(str(caught.value)) < 300
