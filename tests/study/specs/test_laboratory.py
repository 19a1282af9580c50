"""The shipped studies of the laboratory make sound claims, and find what they found.

The findings stand here as they are, with the claims that were not confirmed; a change is a change of results.
"""

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from analysis.model.claims import CONFIRMED, NOT_CONFIRMED, NOT_TESTABLE
from study.cli.main import main
from study.errors import StudyError
from study.spec.expand import expand
from study.spec.load import load_spec

LABORATORY = (
    "minibatch_optima", "losses_share_optima", "convexity", "dhel_ablation",
    "batch_independence", "effective_samples", "uniformity_measures",
)  # fmt: skip

#: Claims that the studies as shipped did not confirm; all others they did.
NOT_FOUND = {
    "minibatch_optima": {"all_subsets_narrow", "osgd_samples"},
    "losses_share_optima": {"kcl_gaussian", "riesz"},
    "convexity": {"not_monotone_psi", "not_convex_phi"},
    "dhel_ablation": {"cross_polytope"},
    "batch_independence": {"others_gradient"},
    "effective_samples": {"ntxent_float32"},
    "uniformity_measures": {"energy_duplicates"},
}


@pytest.mark.parametrize("name", LABORATORY)
def test_every_claim_is_about_trials_of_its_study(name: str) -> None:
    spec = load_spec(name).spec
    assert {claim.name for claim in spec.claims} >= NOT_FOUND[name]
    assert len({claim.name for claim in spec.claims}) == len(spec.claims) > 3
    labels, trials = {*spec.losses}, expand(spec, None).trials
    for claim in spec.claims:
        arms = claim.rows.get("arm", ())
        assert {arms} <= labels if isinstance(arms, str) else {*arms} <= labels, claim.name
    assert len(trials) < 600


@pytest.mark.slow
@pytest.mark.timeout(1200)  # minibatch_optima clusters for minutes
@pytest.mark.parametrize("name", LABORATORY)
def test_the_study_finds_what_it_found(name: str, tmp_path: Path) -> None:
    found = run_study(name, tmp_path)
    untestable = {claim.name for claim in load_spec(name).spec.claims if claim.untestable}
    expected = {claim: NOT_CONFIRMED if claim in NOT_FOUND[name] else CONFIRMED for claim in found["name"]}
    expected |= dict.fromkeys(untestable, NOT_TESTABLE)
    assert dict(zip(found["name"], found["status"], strict=True)) == expected


def run_study(study: str, store: Path) -> pd.DataFrame:
    result = CliRunner().invoke(
        main, ["run", study, "--runner", "inline", "--store", str(store)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return pd.read_csv(store / "studies" / load_spec(study).spec.name / "tables" / "claims.csv")


SHORT = """
name = "short"
extends = "minibatch_optima"
without = ["losses", "claims"]
seeds = [0]

[training]
steps = 30

[losses.infonce]
temperature = 1.0
points = [
    { n_pairs = 4, dim = 8, batch_size = 4, lr = 2.0, selection = "full" },
    { n_pairs = 4, dim = 8, batch_size = 2, lr = 1.0, selection = "fixed" },
]

[[claims]]
name = "fixed"
claim = "A fixed partition ends elsewhere."
paper = "Cho et al. 2024"
rows = { selection = "fixed" }
column = "optimum_gap"
at_least = 0.01
figure = "gram"
"""


def test_a_short_study_has_its_figures_and_findings(tmp_path: Path) -> None:
    (tmp_path / "short.toml").write_text(SHORT)
    found = run_study(str(tmp_path / "short.toml"), tmp_path / "store")
    assert found["status"].tolist() == [CONFIRMED]
    report = tmp_path / "store" / "studies" / "short"
    for figure in ("gap_curves", "gram", "selection_gain"):
        assert (report / "figures" / f"{figure}.png").exists(), figure
    curves = pd.read_csv(report / "tables" / "gap_curves.csv")
    assert curves.groupby("trial_id")["step"].max().tolist() == [30, 30]
    gains = pd.read_csv(report / "tables" / "selection_gain.csv")
    pairs = dict(zip(gains["hp_selection"], gains["pairs"], strict=True))
    assert pairs == {"full": 30 * 4, "fixed": 30 * 2}
    assert "A fixed partition ends elsewhere." in (report / "report.html").read_text()
    study = str(tmp_path / "short.toml")
    result = CliRunner().invoke(main, ["claims", study, "--store", str(tmp_path / "store")])
    assert result.exit_code == 0, result.output
    assert "1 claim of 1 study: 1 confirmed." in result.output
    page = tmp_path / "store" / "claims"
    assert (page / "figures" / "short" / "gram.png").exists()
    assert 'href="#figure-short/gram"' in (page / "report.html").read_text()
    assert pd.read_csv(page / "tables" / "claims.csv")["study"].tolist() == ["short"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["quickstart"], "'quickstart' makes no claims"),
        ([], f"no trial has run yet of {', '.join(sorted(LABORATORY))}; run each first (study run batch_"),
        (["convexity", "convexity"], "'convexity' is named twice"),
    ],
)
def test_what_has_no_claims_to_tell_is_one_line(names: list[str], said: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["claims", *names, "--store", str(tmp_path / "store")])
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "store").exists()


DIAGNOSTIC = """
name = "fixed_points"
task = "diagnostic"
seeds = [0, 1, 2]
metric = "gradient_bias"
[diagnostic]
measure = "batches"
n_pairs = 64
dim = 8
defect = "low_rank"
defect_level = 0.5
passes = 4
[axes]
batch_size = [2, 8, 32]
[losses.kcl]
t = [2.0]
[losses.infonce]
temperature = [0.25]
[[claims]]
name = "kcl"
claim = "KCL is without bias."
paper = "Koromilas et al. 2024"
rows = { arm = "kcl" }
column = "gradient_bias_ratio"
at_most = 4.0
"""


def test_a_diagnostic_study_is_a_study(tmp_path: Path) -> None:
    path, store = tmp_path / "fixed_points.toml", tmp_path / "store"
    path.write_text(DIAGNOSTIC)
    assert run_study(str(path), store)["status"].tolist() == [CONFIRMED]
    report = store / "studies" / "fixed_points"
    assert (report / "figures" / "batch_bias.png").exists()
    assert (report / "figures" / "batch_variance.png").exists()
    again = CliRunner().invoke(main, ["run", str(path), "--runner", "inline", "--store", str(store)])
    assert "all 18 trials are done" in again.output
    status = CliRunner().invoke(main, ["verify", str(path), "--store", str(store), "--sample", "2", "--json"])
    assert '"reproduced": 2' in status.output


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[2, 8, 32]", "[2, 65]", "axes.batch_size: got 65, must be a whole number from 2 to 64"),
        ('"gradient_bias"\n', '"signal"\n', "metric: got 'signal'"),
        (
            '"gradient_bias"\n',
            '"z_energy_distance"\n',
            "metric: got 'z_energy_distance'; measure batches gives",
        ),
        ("[axes]", "[axes]\nlr = [0.1]", "axes.lr: unknown axis; allowed are batch_size"),
        ("[axes]", "[axes]\ndefect_level = [1.5]", "axes.defect_level: got 1.5"),
        ("[axes]", "[keep]\ncurve_points = 2\n[axes]", "selection and keep are for tasks that train"),
        ('"batches"', '"precision"', "metric: got 'gradient_bias'; measure precision gives"),
        (
            '"gradient_bias_ratio"',
            '"gradient"',
            "claims.kcl: got 'gradient' .did you mean gradient_bias.., which no trial",
        ),
        ('arm = "kcl" }', "batch_size = 64 }", "claims.kcl: got 'batch_size 64', which no trial"),
        ('arm = "kcl" }', "tau = 64 }", "claims.kcl: got 'tau', which no trial"),
        ("at_most = 4.0", "below = { batch_size = 7 }", "claims.kcl: below batch_size 7: no trial"),
        ("at_most = 4.0", "", "claim kcl needs a column and one of at_most"),
        ("at_most = 4.0", "at_most = 4.0\nexpected = 1.0", "claim kcl: expected is a test of its own; leave"),
        ("at_most = 4.0", "at_most = 4.0\nruns = 3", "claim kcl: runs needs expected"),
        ("at_most = 4.0", "expected = 1.0\nspread = 0.2", "claim kcl: spread needs runs of at least 2"),
        ("at_most = 4.0", "expected = 1.0\nruns = 2\nspread = -1.0", "claims.0.spread: got -1.0, must be"),
        ("at_most = 4.0", 'at_most = 4.0\nnot_comparable = "x"', "claim kcl: not_comparable needs expected"),
        (
            "at_most = 4.0",
            "expected = 1.0",
            "claims.kcl: got 'arm kcl', which are 3 configurations; an expec",
        ),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in DIAGNOSTIC
    path = tmp_path / "bad.toml"
    path.write_text(DIAGNOSTIC.replace(old, new))
    with pytest.raises(StudyError, match=message) as caught:
        expand(load_spec(str(path)).spec, None)
    assert "\n" not in str(caught.value)
