"""A cluster of two nodes, each a set of processes of its own: a study runs on it, loses a node, and finishes."""

import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.many_trials import PATIENCE, many_trials, stamps, wait_for_records
from tests.chaos.nodes import end, start_node, wait_for_nodes
from tests.study.conftest import WriteStudy, write_study  # noqa: F401  the fixture
from tests.study.running import counts, records, start_command
from tests.waiting import wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.ray, pytest.mark.timeout(2 * PATIENCE)]


@dataclass(frozen=True)
class Cluster:
    address: str
    second_node: "subprocess.Popen[bytes]"


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Its token and its folder are of this test alone; the folder's path is short, since Ray's sockets are in it."""
    with ExitStack() as nodes:
        private = tempfile.TemporaryDirectory(dir="/tmp", prefix="t", ignore_cleanup_errors=True)
        folder = Path(nodes.enter_context(private))
        for name, value in {"MODE": "token", "TOKEN": secrets.token_hex(32)}.items():
            monkeypatch.setenv(f"RAY_AUTH_{name}", value)
        monkeypatch.setenv("RAY_TMPDIR", str(folder))
        nodes.callback(end, start_node("--head", "--port=0", "--include-dashboard=false"))
        found = folder / "ray" / "ray_current_cluster"  # the head writes its address when it has started
        wait_until(lambda: found.exists() and found.read_text(), seconds=PATIENCE)
        address = found.read_text().strip()
        wait_for_nodes(address, 1)  # a second node does not start before the first one is registered
        second = start_node(f"--address={address}", "--node-ip-address=127.0.0.2")
        nodes.callback(end, second)
        wait_for_nodes(address, 2)
        yield Cluster(address=address, second_node=second)


def test_a_lost_node_costs_no_finished_trial(
    cluster: Cluster,
    write_study: WriteStudy,  # noqa: F811
    tmp_path: Path,
) -> None:
    study, store = many_trials(write_study), tmp_path / "store"
    process = start_command("run", study, "--store", store, "--address", cluster.address)
    wait_for_records(store, 6)
    before = stamps(store)
    end(cluster.second_node)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output[-3000:]
    assert "2 at a time" in output
    assert counts(study, store)["ok"] == 36
    after = stamps(store)
    assert {name: after[name] for name in before} == before
    assert len(records(store)) == 36
