"""`cluster.yaml` and `docs/rayjob.yaml` are valid for Ray, and agree with the documentation and the tests."""

import copy
import os
import re
import socket
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from study.cli.main import main
from study.launch.cluster import nodes_to_come
from tests.chaos.nodes import wait_for_port

_REPOSITORY = Path(__file__).resolve().parents[3]
CLUSTER = yaml.safe_load((_REPOSITORY / "cluster.yaml").read_text())
RAYJOB = yaml.safe_load((_REPOSITORY / "docs" / "rayjob.yaml").read_text())
GUIDE = (_REPOSITORY / "docs" / "clusters.md").read_text()
LOCKED = {
    package["name"]: package["version"]
    for package in tomllib.loads((_REPOSITORY / "uv.lock").read_text())["package"]
    if "version" in package
}


def test_rays_own_checks_take_it_and_refuse_a_typing_error() -> None:
    from jsonschema import ValidationError
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(copy.deepcopy(CLUSTER)))
    with pytest.raises(ValidationError, match="max_worker"):
        validate_config(prepare_config(copy.deepcopy(CLUSTER) | {"max_worker": 3}))


def test_versions_are_those_of_the_lock() -> None:
    commands = " ".join(CLUSTER["setup_commands"] + CLUSTER["head_setup_commands"])
    assert "uv sync --locked" in commands
    assert f"boto3=={LOCKED['boto3']}" in commands
    assert RAYJOB["spec"]["rayClusterSpec"]["rayVersion"] == LOCKED["ray"]
    assert f'"ray[default]=={LOCKED["ray"]}"' in GUIDE
    (launcher,) = re.findall(r"astral.sh/uv/([\d.]+)/", commands)
    assert f"uv:{launcher}-" in GUIDE


def test_the_project_and_the_token_are_shipped_and_all_nodes_ask_for_it() -> None:
    assert CLUSTER["file_mounts"]["~/contrastive-robustness"] == "."
    assert "~/.ray/auth_token" in CLUSTER["file_mounts"]
    for key in ("head_start_ray_commands", "worker_start_ray_commands"):
        (start,) = [command for command in CLUSTER[key] if "ray start" in command]
        assert "RAY_AUTH_MODE=token" in start


def test_ports_of_the_guide_are_those_of_the_launcher() -> None:
    """Each port that the launcher fixes is a row of the guide's table, with its option."""
    rows = [line.split("|") for line in GUIDE.splitlines() if line.startswith("| ")]
    by_option = {option: row[1] for row in rows for option in re.findall(r"--[a-z-]*port\b", row[-2])}
    for key in ("head_start_ray_commands", "worker_start_ray_commands"):
        fixed = re.findall(r"(--[a-z-]*port)=(\d+)", " ".join(CLUSTER[key]))
        assert {"--node-manager-port", "--object-manager-port"} <= {option for option, _ in fixed}
        for option, port in fixed:
            assert port in by_option[option]


@pytest.mark.slow
def test_the_token_of_the_guide_is_for_its_user_alone(tmp_path: Path) -> None:
    """By the guide's own command, in both places; and each option of its table is one of `ray start`."""
    commands = re.findall(
        r"^\((umask 077 && uv run (?:--no-sync )?ray .* > /dev/null)\)", GUIDE, re.MULTILINE
    )
    assert len(commands) == 2
    for number, command in enumerate(commands):
        (home := tmp_path / str(number)).mkdir()
        ray = str(Path(sys.executable).with_name("ray"))
        words = re.sub(r"uv run (--no-sync )?ray", ray, command)
        subprocess.run(["sh", "-c", words], env=os.environ | {"HOME": str(home)}, check=True)
        token = home / ".ray" / "auth_token"
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        assert len(token.read_text()) == 64
    start = subprocess.run([ray, "start", "--help"], capture_output=True, text=True, check=True).stdout
    for option in set(re.findall(r"--[a-z-]*port\b", GUIDE)):
        assert f"  {option} " in start


def test_the_head_has_no_gpu_and_workers_come_and_go() -> None:
    kinds = CLUSTER["available_node_types"]
    assert kinds["gpu_worker"]["min_workers"] == 0 < kinds["gpu_worker"]["max_workers"]
    assert kinds["gpu_worker"]["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert CLUSTER["idle_timeout_minutes"] <= 15


def test_workers_that_may_still_come_have_room() -> None:
    config = copy.deepcopy(CLUSTER)
    config["available_node_types"]["gpu_worker"]["resources"] = {"CPU": 4, "GPU": 1}
    worker = {"Alive": True, "Resources": {"CPU": 4, "GPU": 1}}
    assert nodes_to_come(config, 0) == [worker] * 4
    assert nodes_to_come(config, 3) == [worker]
    assert nodes_to_come(config, 9) == []
    assert nodes_to_come({}, 0) == []


def test_the_commands_of_the_guide_are_there() -> None:
    commands = re.findall(r"(?:uv run|bin/|: )study (\w+)", GUIDE)
    assert "run" in commands
    for command in commands:
        assert command in main.commands
    ray = subprocess.run(
        [Path(sys.executable).with_name("ray"), "--help"], capture_output=True, text=True, check=True
    ).stdout
    used = set(re.findall(r"\bray (start|stop|symmetric-run|exec|down|get-auth-token)\b", GUIDE))
    assert len(used) == 6
    for command in used:
        assert f"\n  {command} " in ray


def test_the_tests_start_nodes_as_the_guide_does() -> None:
    tested = (_REPOSITORY / "tests" / "chaos" / "test_cluster.py").read_text()
    for words in (("--head", "--port="), ("--address=",)):
        assert all(word in tested and f"ray start {words[0]}" in GUIDE for word in words)


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An imitation of AWS on loopback, and a home with a token."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("token")
    for name, value in {
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }.items():
        monkeypatch.setenv(name, value)
    server = subprocess.Popen(
        [Path(sys.executable).with_name("moto_server"), "-H", "127.0.0.1", "-p", str(port)],
        env=os.environ | {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port)
        yield
    finally:
        server.kill()
        server.wait()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of boto3 and moto
def test_ray_up_gets_as_far_as_an_instance(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that `ray up` does before it connects to the head: roles, keys, networks, then a spot worker."""
    from ray.autoscaler._private.aws.node_provider import AWSNodeProvider
    from ray.autoscaler._private.commands import _bootstrap_config
    from ray.autoscaler._private.util import hash_runtime_conf

    monkeypatch.chdir(_REPOSITORY)
    config: dict[str, Any] = _bootstrap_config(copy.deepcopy(CLUSTER), no_config_cache=True)
    kinds = config["available_node_types"]
    assert "GPU" not in kinds["head"]["resources"]
    assert kinds["gpu_worker"]["resources"]["GPU"] == 1
    assert [node["Resources"] for node in nodes_to_come(config, 0)] == [kinds["gpu_worker"]["resources"]] * 4
    assert any("boto3==" in command for command in config["head_setup_commands"])
    assert not any("nightly" in command or "dev0" in command for command in config["setup_commands"])
    hash_runtime_conf(
        {"~/.ray/auth_token": config["file_mounts"]["~/.ray/auth_token"]}, [], []
    )  # it is there
    provider = AWSNodeProvider(config["provider"], config["cluster_name"])
    tags = {"ray-node-name": "worker", "ray-node-type": "worker"}
    created = provider.create_node(kinds["gpu_worker"]["node_config"], tags, 1)
    assert len(created) == 1
