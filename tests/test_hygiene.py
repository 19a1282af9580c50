"""Files beside the code, the README and the tests themselves stay valid."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from study.spec.expand import expand
from study.spec.load import load_spec
from study.tracking.trackers import TRACKERS
from tests.golden.contents import README, with_loss_table

_REPOSITORY = Path(__file__).resolve().parents[1]
TEST_FILES = sorted((_REPOSITORY / "tests").rglob("test_*.py"))


def test_cluster_file_fits_rays_schema() -> None:
    import jsonschema
    import ray.autoscaler

    schema = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())
    jsonschema.validate(yaml.safe_load((_REPOSITORY / "cluster.yaml").read_text()), schema)


def test_citation_file_is_yaml_with_the_papers() -> None:
    citation = yaml.safe_load((_REPOSITORY / "CITATION.cff").read_text())
    assert {"cff-version", "title", "authors", "license"} <= set(citation)
    notes = " ".join(reference["notes"] for reference in citation["references"])
    for paper in ("2405.18045", "2107.01152", "2307.05906"):
        assert paper in notes


@pytest.mark.parametrize("package", ["analysis", "analysis.report.write", "analysis.study_analysis"])
def test_analysis_loads_no_torch(package: str) -> None:
    code = f"import sys, {package}; print([m for m in ('torch', 'ray', 'optuna') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_readme_table_of_losses_is_todays() -> None:
    assert README.read_text() == with_loss_table(README.read_text())


@pytest.mark.parametrize("folder", ["report", "imported", "both", "demo", "results", "dist"])
def test_results_are_ignored_at_the_top_alone(folder: str) -> None:
    if not (_REPOSITORY / ".git").exists():
        pytest.skip("no repository")
    said = subprocess.run(
        ["git", "check-ignore", f"{folder}/a.py", f"analysis/{folder}/a.py"],
        cwd=_REPOSITORY, capture_output=True, text=True,
    )  # fmt: skip
    assert said.stdout.split() == [f"{folder}/a.py"]


def test_readme_shows_what_is_there() -> None:
    readme = README.read_text()
    assert "PLACEHOLDER" not in readme
    targets = re.findall(r"\]\((?!http)([^)]+)\)", readme)
    assert targets
    for target in targets:
        assert (_REPOSITORY / target).is_file(), target


def test_readme_opens_with_the_two_commands() -> None:
    readme = README.read_text()
    for command in ("pip install uv && uv run study run quickstart", "pip install uv && uv run pytest"):
        assert command in readme


def test_readme_example_is_a_study(tmp_path: Path) -> None:
    """All of it but the loss of one's own, which is nowhere."""
    example, *_ = re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL)
    path = tmp_path / "mine.toml"
    path.write_text(example[: example.index('[losses."my_package')])
    arms = {trial.arm for trial in expand(load_spec(str(path)).spec, None).trials}
    assert arms == {"infonce", "dhel", "kcl_light"}


def imported_from_tests(tree: ast.AST) -> Iterator[str]:
    """Modules and names that code imports from `tests`, and those that programs in its strings import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"\b(?:from|import) +(tests[\w.]*(?: import \w+)?)", node.value)


def test_no_test_module_is_imported() -> None:
    """Helpers lie in modules named for what they hold, so that a test file can be changed for its tests alone."""
    modules = {".".join(path.relative_to(_REPOSITORY).with_suffix("").parts) for path in TEST_FILES}
    offenders = []
    for path in (_REPOSITORY / "tests").rglob("*.py"):
        for name in imported_from_tests(ast.parse(path.read_text())):
            name = name.replace(" import ", ".")
            if modules & {name, name.rpartition(".")[0]} or name.startswith(".test_"):
                offenders.append(f"{path.relative_to(_REPOSITORY)} imports {name}")
    assert not offenders, "move what they share to a helper module: " + "; ".join(offenders)


def test_every_test_module_says_what_it_guarantees() -> None:
    """In the first line of its docstring, which ends there."""
    silent = [
        str(path.relative_to(_REPOSITORY))
        for path in TEST_FILES
        if not (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0].endswith(".")
    ]
    assert not silent, "no docstring whose first line says what the tests guarantee: " + ", ".join(silent)


def test_every_extra_that_is_named_exists() -> None:
    """Messages and documents name an extra of the package as the README does, by the command that installs it."""
    extras = set(
        tomllib.loads((_REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    )
    sources = [*(_REPOSITORY / "docs").glob("*.md"), README]
    for package in ("analysis", "search_spaces", "study", "trainables"):
        sources += (_REPOSITORY / package).rglob("*.py")
    texts = {path: re.sub(r'"\s*\n\s*f?"', "", path.read_text()) for path in sources}
    named = {extra for text in texts.values() for extra in re.findall(r"--extra[ =]([a-z][a-z-]+)", text)}
    named |= {kind.extra for kind in TRACKERS.values()}
    assert named == extras
    by_pip = [path.name for path, text in texts.items() if re.search(r"contrastive-robustness\[", text)]
    assert by_pip == []
