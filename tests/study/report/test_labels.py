"""A study whose labels hold any characters has its report: from file to page."""

from pathlib import Path

from study.loaded import load_study
from tests.study.conftest import WriteStudy
from tests.study.running import invoke
from tests.trainables.records_example import example_record
from trainables.config import NUMERICS_VERSION
from trainables.store.schema import Status

#: As TOML keys: mathematics, markup of pages and terminals; an underscore at the start, an escape, a line break.
LABELS = ("$$<i>[red]r[/red] :smile:", "_e\\u001b[31m\\nf")
SHOWN = ("$$<i>[red]r[/red] :smile:", "_e\\x1b[31m\\nf")


def test_a_report_from_the_file_to_the_page(write_study: WriteStudy, tmp_path: Path) -> None:
    losses = "".join(
        f'[losses."{label}"]\nloss = "ntxent"\ntemperature = [{0.1 + place / 100}, {0.5 + place / 100}]\n'
        for place, label in enumerate(LABELS)
    )
    old = "[losses.ntxent]\ntemperature = [0.1, 0.5]\n[losses.kcl]\nt = [2.0]\n"
    study, store = write_study((old, losses)), tmp_path / "store"
    loaded = load_study(str(study), str(store), None)
    loaded.store.prepare()
    for number, trial in enumerate({trial.keys.trial_id: trial for trial in loaded.plan.trials}.values()):
        keys = {
            name: getattr(trial.keys, name) for name in ("trial_id", "config_id", "pretrain_id", "probe_id")
        }
        config = trial.config
        failed = {"status": Status.CRASHED, "error_class": "E", "error_message": "[b]\x1b[31m :smile:"}
        loaded.store.put(
            example_record(
                **keys,
                seed=config.seed,
                hp_batch_size=config.task.training.batch_size,
                numerics_version=NUMERICS_VERSION,
                test_probe10_accuracy=0.5 + number / 100,
                **(failed if number == 0 else {}),
            )
        )
    result = invoke("report", study, "--store", store)
    assert result.exit_code == 0, result.output
    for name in SHOWN:
        assert name in result.output
    failures = invoke("failures", study, "--store", store)
    for output in (result.output, failures.output):
        assert "[b]\\x1b[31m :smile:" in output
        assert "\x1b" not in output
