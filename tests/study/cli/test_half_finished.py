"""A store that lost half of its records still gives the configurations of the complete study."""

from analysis.model.cells import Cells
from analysis.statistics.scores.choice import default_cell
from analysis.study_analysis import split_cells
from study.loaded import load_study
from study.report.study_table import study_table
from tests.study.cli.conftest import Finished


def configurations(finished: Finished) -> dict[str, Cells]:
    loaded = load_study(str(finished.study), str(finished.store), None)
    return split_cells(*study_table(loaded.plan, loaded.study_file))[2]


def test_half_of_the_records_give_the_same_grids(finished: Finished) -> None:
    complete = configurations(finished)
    assert {cells.shape for cells in complete.values()} == {(2, 1)}
    for path in finished.store.glob("records/compact-*"):
        path.unlink()
    for path in sorted(finished.store.glob("records/*.parquet"))[::2]:
        path.unlink()
    half = configurations(finished)
    assert sum(cells.missing.sum() for cells in half.values()) == 6
    assert {label: cells.shape for label, cells in half.items()} == dict.fromkeys(complete, (2, 1))
    for label, cells in half.items():
        assert [axis.name for axis in cells.axes] == [axis.name for axis in complete[label].axes]
        assert cells.place(default_cell(cells)) == complete[label].place(default_cell(complete[label]))
