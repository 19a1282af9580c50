"""Early stopping keeps its scores in an object store, where every worker sees them."""

from tests.trainables.stopping import rungs


def test_scores_in_an_object_store(s3_url: str) -> None:
    store = s3_url  # not a path: slashes count
    assert rungs(store, "a", 0.6).stop_at(1, None) is None
    assert rungs(store, "b", 0.7).stop_at(1, None) is None
    stop = rungs(store, "c", 0.5).stop_at(1, None)
    assert stop is not None
    assert stop.reason == "place 3 of 3 configurations at rung 1, score 0.5000"
    assert rungs(store, "c", 0.9, seed=1).stop_before() is not None
    assert rungs(store, "d", 0.1, folder="studies/tiny/rungs/1").stop_at(1, None) is None
