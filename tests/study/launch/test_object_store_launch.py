"""Launches share work through an object store as they do through a directory."""

from pathlib import Path

import pytest

from tests.study.conftest import WriteStudy
from tests.study.launch.launching import in_background, launch, planned
from tests.trainables.store.conftest import s3_port, s3_url  # noqa: F401  the fixtures
from trainables.store.records import open_store


def test_two_launches_share_an_object_store(
    write_study: WriteStudy,
    s3_url: str,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)  # what is no record lies under ./results
    store = open_store(s3_url)
    store.prepare()
    plan = planned(write_study(), store)
    (one, seen_by_one), (two, seen_by_two) = launch(plan, store), launch(plan, store)
    thread = in_background(one.run)
    two.run()
    thread.join()
    ids = sorted(trial.keys.trial_id for trial in plan.trials)
    assert sorted(seen_by_one.began + seen_by_two.began) == ids
    assert sorted(store.read().table["trial_id"].to_pylist()) == ids
    assert store.files.names("leases") == []
