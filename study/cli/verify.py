"""`study verify`: runs a sample of finished trials again and compares them with their records.

With `--no-code`, it checks instead that the records agree with one another.
"""

import random
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analysis.names import brief
from study.cli.options import DATA_ROOT, JSON, STORE, TRUST_CODE, guarded
from study.console import CONSOLE, say, say_error, say_json
from study.errors import DONE, FAILED, StudyError

if TYPE_CHECKING:
    from study.loaded import LoadedStudy
    from study.spec.expand import PlannedTrial
    from trainables.store.schema import TrialRecord

#: Columns that may explain a difference, in display order.
_CONDITIONS = ("torch_version", "device_name", "device", "threads", "execution_mode", "git_revision")

_FINISHED = ("ok", "diverged")

#: Characters of one text in a line; `--json` has all.
_LONGEST = 200


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The columns of a trial that differ after a second run, each as (stored, new)."""

    trial: "PlannedTrial"
    differing: Mapping[str, tuple[Any, Any]]
    conditions: Mapping[str, tuple[Any, Any]]  # differences in the conditions of the run

    @property
    def reproduces(self) -> bool:
        """Whether the records are equal to the bit, except for times and memory."""
        return not self.differing


@click.command("verify")
@click.argument("study", required=False)
@STORE
@DATA_ROOT
@TRUST_CODE
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    metavar="N",
    help="How many finished trials to run again.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the sample.")
@click.option(
    "--no-code",
    is_flag=True,
    help="Run nothing and import nothing: check that records, ids, configurations and the files of a bundle agree.",
)
@JSON
@guarded
def command(
    study: str | None,
    store: str,
    data_root: str | None,
    sample: int,
    seed: int,
    no_code: bool,
    as_json: bool,
) -> int:
    """Run some finished trials of STUDY again and compare the results.

    For each trial of a random sample, the command shows that it reproduces to the bit, or by how much each column
    differs. A trial trains in the same stack as before. Nothing is written. Exit code 1 when a trial does not
    reproduce.

    With --no-code, STUDY or the store may be a bundle, packed or unpacked. Without STUDY, all records of the store
    are checked. Exit code 1 when anything contradicts.
    """
    if no_code:
        return _check_content(study, store, as_json=as_json)
    if study is None:
        raise StudyError("verify: STUDY: is missing")
    from study.launch.capacity import count_workers
    from study.launch.memory import check_memory
    from study.launch.rerun import rerun
    from study.loaded import load_study

    loaded = load_study(study, store, data_root, whole=False)
    count_workers(loaded.study_file.spec.resources, None)
    check_memory(loaded.plan.spec, loaded.plan.trial_set)
    rows = {
        row["trial_id"]: row for row in loaded.plan.records.table.to_pylist() if row["status"] in _FINISHED
    }
    if not rows:
        raise StudyError(f"verify: no trial of {loaded.name} has finished in this store yet; run it first")
    drawn = draw_sample(list(rows), sample, seed)
    if not as_json:
        say(
            f"{loaded.name}: {len(drawn)} of {len(rows)} finished trials run again (seed {seed}).",
        )
    verdicts = []
    for stack, ids in _stacks(drawn, rows, loaded):
        with redirect_stdout(sys.stderr):  # messages of the user's code are not results
            new = rerun(stack, loaded.context)
        for trial in stack:
            if trial.keys.trial_id in ids:
                verdicts.append(_judge(trial, rows[trial.keys.trial_id], new[trial.keys.trial_id]))
                if not as_json:
                    _show(verdicts[-1])
    if as_json:
        say_json(_summary(loaded, verdicts, seed))
    else:
        _conclude(verdicts)
    return DONE if all(verdict.reproduces for verdict in verdicts) else FAILED


def _check_content(study: str | None, store: str, *, as_json: bool) -> int:
    """Check that the content of a bundle or store agrees with itself. Returns the exit code."""
    from study.archive import archived_trials
    from study.report.bundle import is_bundle, open_bundle
    from study.report.integrity import check_bundle, check_store
    from study.spec.source import shipped_studies
    from trainables.store.records import open_store

    named = study is not None and study not in shipped_studies() and is_bundle(study)
    location = str(study) if named else store
    with open_bundle(location) as bundle:
        if bundle is not None:
            found, subject = check_bundle(bundle), bundle.said
        else:
            record_store = open_store(store)
            planned = None if study is None else archived_trials(record_store, _name_of(study))
            found, subject = check_store(record_store, planned), record_store.location
    if as_json:
        say_json({"checks": subject, **asdict(found)})
    else:
        for line in found.contradictions:
            say(f"Contradiction: {line}")
        for line in found.checked:
            say(f"Checked: {line}.")
        for line in found.unchecked:
            say(f"Not checked: {line}.")
        count = len(found.contradictions)
        CONSOLE.print(
            f"{subject}: {count or 'no'} contradiction{'' if count == 1 else 's'} found.", soft_wrap=True
        )
    return FAILED if found.contradictions else DONE


def _name_of(study: str) -> str:
    """The name of a study, given by its file, or as the name itself."""
    from study.spec.source import read_source, shipped_studies

    if study in shipped_studies() or not Path(study).expanduser().exists():
        return study
    return str(read_source(study).tree.get("name"))


def draw_sample(trial_ids: Sequence[str], count: int, seed: int) -> list[str]:
    """A sample of `count` trials, or all if there are fewer; it does not depend on the order of `trial_ids`."""
    return random.Random(seed).sample(sorted(trial_ids), min(count, len(trial_ids)))


def _stacks(
    drawn: Sequence[str], rows: Mapping[str, Mapping[str, Any]], loaded: "LoadedStudy"
) -> list[tuple[tuple["PlannedTrial", ...], set[str]]]:
    """The stacks to train, each with the ids of the drawn trials in it."""
    from study.launch.rerun import stack_of

    known = {trial.keys.trial_id: trial for trial in loaded.plan.trials}
    stacks: dict[tuple[str, ...], tuple[tuple[PlannedTrial, ...], set[str]]] = {}
    for trial_id in drawn:
        stack = stack_of(rows[trial_id], loaded.plan)
        if stack is None:
            say_error(
                f"{known[trial_id].title}: it was trained in one stack with trials that the study no longer has, and "
                "now trains alone; expect small differences"
            )
            stack = (known[trial_id],)
        key = tuple(trial.keys.trial_id for trial in stack)
        stacks.setdefault(key, (stack, set()))[1].add(trial_id)
    return list(stacks.values())


def _judge(trial: "PlannedTrial", stored: Mapping[str, Any], record: "TrialRecord") -> Verdict:
    from study.launch.rerun import differences

    new = vars(record)
    conditions = {name: (stored[name], new[name]) for name in _CONDITIONS if stored[name] != new[name]}
    return Verdict(trial=trial, differing=differences(stored, record), conditions=conditions)


def _show(verdict: Verdict) -> None:
    trial = verdict.trial
    head = f"{trial.keys.trial_id}  {trial.title}: "
    if verdict.reproduces:
        say(f"{head}reproduces to the bit")
        return
    say(f"{head}differs in {len(verdict.differing)} columns")
    for name, (stored, new) in verdict.differing.items():
        say(f"    {name}: {_change(stored, new)}")
    for name, (stored, new) in verdict.conditions.items():
        say(f"    the conditions differ: {name} was {brief(str(stored), _LONGEST)}, is {new}")


def _change(stored: Any, new: Any) -> str:
    if isinstance(stored, (int, float)) and isinstance(new, (int, float)):
        return f"{stored:.6g} before, {new:.6g} now, a difference of {new - stored:+.2g}"
    return f"{brief(str(stored), _LONGEST)} before, {brief(str(new), _LONGEST)} now"


def _conclude(verdicts: Sequence[Verdict]) -> None:
    failed = sum(not verdict.reproduces for verdict in verdicts)
    if failed:
        CONSOLE.print(f"{failed} of {len(verdicts)} trials do not reproduce to the bit.")
    else:
        CONSOLE.print(f"All {len(verdicts)} reproduce to the bit, except for times and memory.")


def _summary(loaded: "LoadedStudy", verdicts: Sequence[Verdict], seed: int) -> dict[str, Any]:
    return {
        "study": loaded.name,
        "seed": seed,
        "checked": len(verdicts),
        "reproduced": sum(verdict.reproduces for verdict in verdicts),
        "trials": [
            {
                "trial_id": verdict.trial.keys.trial_id,
                "title": verdict.trial.title,
                "reproduces": verdict.reproduces,
                "differing": {name: list(pair) for name, pair in verdict.differing.items()},
                "conditions": {name: list(pair) for name, pair in verdict.conditions.items()},
            }
            for verdict in verdicts
        ],
    }
