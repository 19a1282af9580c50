"""Encoders are kept as the study file says: all, none, or the best of each loss and seed by validation."""

from pathlib import Path

import pytest

from tests.study.conftest import WriteStudy
from tests.study.launch.launching import planned
from tests.study.running import invoke
from trainables.store.records import RecordStore


def kept(store: Path) -> set[str]:
    return {path.stem for path in store.glob("encoders/*.pt")}


@pytest.mark.parametrize("keep", ["none", "best", "all"])
@pytest.mark.slow
def test_what_is_kept(keep: str, write_study: WriteStudy, tmp_path: Path) -> None:
    study = write_study(("[losses.ntxent]", f'[keep]\nencoders = "{keep}"\n[losses.ntxent]'))
    store = tmp_path / "store"
    assert invoke("run", study, "--store", store, "--runner", "inline").exit_code == 0
    rows = planned(study, RecordStore(store)).records.table.to_pandas()
    top = rows.groupby(["loss", "seed"])["val_probe10_accuracy"].max()
    if keep == "all":
        assert kept(store) == set(rows["pretrain_id"])
    elif keep == "none":
        assert kept(store) == set()
    else:
        found = rows[rows["pretrain_id"].isin(kept(store))].set_index(["loss", "seed"])
        assert len(found) == len(top) == 4
        assert (found["val_probe10_accuracy"].sort_index() == top.sort_index()).all()


@pytest.mark.slow
def test_another_suite_of_probes_trains_nothing(write_study: WriteStudy, tmp_path: Path) -> None:
    keep = ("[losses.ntxent]", '[keep]\nencoders = "all"\n[losses.ntxent]')
    store = tmp_path / "store"
    invoke("run", write_study(keep), "--store", store, "--runner", "inline")
    other = write_study(keep, ('suite = ["probe10"]', 'suite = ["probe10", "knn"]'))
    plan = invoke("plan", other, "--store", store).output
    assert "12 of the missing trials have kept encoders, which are only evaluated." in plan
    assert "evaluation included" in plan
    assert invoke("run", other, "--store", store, "--runner", "inline").exit_code == 0
    rows = RecordStore(store).read().table.to_pandas()
    assert len(rows) == 24
    assert (rows.groupby("pretrain_id")["seconds_pretrain"].nunique() == 1).all()
    assert rows.groupby("pretrain_id")["test_probe10_accuracy"].nunique().eq(1).all()
