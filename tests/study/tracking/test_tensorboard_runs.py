"""Runs of TensorBoard have folders of their own, whatever their titles are."""

from study.tracking.tensorboard_runs import folder_name
from study.tracking.tracked_run import TrackedRun
from tests.analysis.hostile import NAMES
from trainables.store.schema import Status


def run(title: str) -> TrackedRun:
    return TrackedRun(
        study="s",
        title=title,
        status=Status.OK,
        settings={},
        metrics={},
        tags={},
        started=0,
        ended=1,
        curve={},
    )


def test_a_plain_title_is_the_name() -> None:
    assert folder_name(run("kcl batch_size=8 t=2.0 seed=0")) == "kcl batch_size=8 t=2.0 seed=0"


def test_other_titles_have_short_names_of_one_folder() -> None:
    titles = [f"{name} seed=0" for name in (*NAMES, "数" * 300, "数" * 299 + "据")]
    names = [folder_name(run(title)) for title in titles]
    assert len(set(names)) == len(titles)
    assert all("/" not in name and name.isprintable() and len(name.encode()) < 200 for name in names)
