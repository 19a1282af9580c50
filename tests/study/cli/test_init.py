"""`study init` writes a study file that runs without a change."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from study.cli.init import template_text
from study.cli.main import main
from study.spec.expand import expand
from study.spec.load import load_spec


def invoke(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_the_template_is_a_study(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    assert invoke("init", path).exit_code == 0
    study_file = load_spec(str(path))
    assert study_file.spec.name == "mine"
    assert "NAME" not in study_file.text
    assert 8 <= len(expand(study_file.spec, None).trials) <= 40


def test_by_default_it_is_study_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoke("init").exit_code == 0
    assert load_spec("study.toml").spec.name == "study"


def test_what_it_offers_in_comments_is_sound(tmp_path: Path) -> None:
    """Its commented tables of losses, and each of its commented designs."""
    text = re.sub(
        r"^# (?=\[losses|kernel|t =|lr =|loss =|gamma)", "", template_text("mine"), flags=re.MULTILINE
    )
    path = tmp_path / "mine.toml"
    path.write_text(text)
    assert {arm.label for arm in expand(load_spec(str(path)).spec, None).arms} >= {"kcl", "kcl_light"}
    sobol = text.replace('design = "grid"', "").replace('# design = "sobol"', 'design = "sobol"')
    sobol = sobol.replace("# points = 16", "points = 16").replace(", points = 3 }", " }")
    path.write_text(sobol.replace("[32, 128]", "{ log = [16, 256] }"))
    assert {len(arm.points) for arm in expand(load_spec(str(path)).spec, None).arms} == {16}


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("mine")
    result = invoke("init", path)
    assert result.exit_code == 2
    assert "exists already" in result.stderr
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mine.txt", ".toml"),
        ("my study.toml", "letters"),
        ("absent/mine.toml", "No such file"),
        (".toml", ".toml"),
    ],
)
def test_where_no_study_can_be(name: str, said: str, tmp_path: Path) -> None:
    result = invoke("init", tmp_path / name)
    assert result.exit_code == 2
    (line,) = result.stderr.strip().splitlines()
    assert said in line
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_template_runs_to_a_report(tmp_path: Path) -> None:
    path, store = tmp_path / "mine.toml", tmp_path / "store"
    invoke("init", path)
    result = invoke("run", path, "--store", store, "--runner", "inline")
    assert result.exit_code == 0, result.output
    assert (store / "studies" / "mine" / "report.html").is_file()
