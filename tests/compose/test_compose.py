"""docker-compose.yml held to its promises, by reading it; and brought up, where an engine is."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.needs import not_run
from tools import compose_test, make_secrets
from tools.processes import ROOT, procfile

BASE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
GPU: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.gpu.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SERVICES: dict[str, dict[str, Any]] = BASE["services"]
ONCE = {"migrate", "prepare"}
LONG_RUNNING = sorted(set(SERVICES) - ONCE)
WORKERS = ["worker-interactive", "worker-training"]

every_service = pytest.mark.parametrize("name", sorted(SERVICES))
every_long_running = pytest.mark.parametrize("name", LONG_RUNNING)


def test_it_has_the_services_of_the_site() -> None:
    assert set(LONG_RUNNING) == {"proxy", "web", "reaper", "db", "redis", *WORKERS}


def test_only_the_proxy_publishes_a_port() -> None:
    assert [name for name, one in SERVICES.items() if one.get("ports")] == ["proxy"]
    assert len(SERVICES["proxy"]["ports"]) == 1


@every_service
def test_it_runs_without_root_and_without_privileges(name: str) -> None:
    one = SERVICES[name]
    assert one["user"] in ("10001:10001", "999:999")
    assert one["cap_drop"] == ["ALL"]
    assert one.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert one["read_only"] is True
    assert not {"privileged", "devices", "pid", "ipc", "network_mode"} & set(one)


@every_service
def test_it_is_bounded(name: str) -> None:
    one = SERVICES[name]
    assert one["mem_limit"]
    assert one["pids_limit"] > 0
    assert one["logging"]["options"] == {"max-size": "10m", "max-file": "3"}


@every_service
def test_a_signal_reaches_its_process(name: str) -> None:
    """With an init, and a command in the exec form: a shell would keep SIGTERM to itself."""
    one = SERVICES[name]
    assert one["init"] is True
    for part in ("command", "entrypoint"):
        assert isinstance(one.get(part, []), list)
    if one.get("entrypoint"):
        assert one["command"][-1].rstrip().split("; ")[-1].startswith("exec ")


def test_every_command_of_the_dockerfile_is_in_the_exec_form() -> None:
    commands = re.findall(r"^(?:CMD|ENTRYPOINT) (.)", DOCKERFILE, re.MULTILINE)
    assert commands == ["["] * len(commands)
    assert len(commands) == 2


@every_long_running
def test_it_has_a_healthcheck_and_is_started_again(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(ONCE))
def test_a_one_shot_is_not_started_again(name: str) -> None:
    assert SERVICES[name]["restart"] == "no"


def test_each_waits_for_what_it_needs() -> None:
    ready = {"condition": "service_healthy"}
    done = {"condition": "service_completed_successfully"}
    assert SERVICES["proxy"]["depends_on"] == {"web": ready}
    assert SERVICES["migrate"]["depends_on"] == {"db": ready}
    for name in ("web", "reaper", *WORKERS):
        assert SERVICES[name]["depends_on"] == {"migrate": done, "prepare": done, "redis": ready}


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_is_told_at_once_and_has_time_to_put_back_what_it_is_at(name: str) -> None:
    """Remapped to SIGQUIT, Celery would sleep 20 s before it tells its children."""
    assert "REMAP_SIGTERM" not in SERVICES[name]["environment"]
    assert SERVICES[name]["stop_grace_period"] == "40s"


@pytest.mark.parametrize("name", WORKERS)
def test_the_shell_expands_the_hostname_of_a_workers_healthcheck(name: str) -> None:
    kind, command = SERVICES[name]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    assert command.endswith(f"inspect ping -t 10 -d {name.removeprefix('worker-')}@$$HOSTNAME")


def test_it_starts_the_processes_of_the_procfile() -> None:
    local = procfile({"PORT": "8000"})
    for name in WORKERS:
        assert SERVICES[name]["command"] == local[name.removeprefix("worker-")]
    assert SERVICES["reaper"]["command"] == local["reaper"]
    said = " ".join(re.findall(r'"([^"]+)"', DOCKERFILE.split("FROM web-packages AS web")[1]))
    assert "uvicorn config.asgi:application --app-dir platform --host 0.0.0.0 --port 8000" in said
    more = "--no-proxy-headers --http config.protocol:Protocol --timeout-graceful-shutdown 5"
    assert more in said
    web = " ".join(local["web"])
    assert web.endswith(f"--port 8000 {more}")


def test_only_what_must_be_reached_from_outside_is_on_an_open_network() -> None:
    opened = {name for name, network in BASE["networks"].items() if not network.get("internal")}
    assert opened == {"outside"}
    reached = {name for name, one in SERVICES.items() if opened & set(one["networks"])}
    assert reached == {"proxy", "prepare"}
    assert "inner" not in SERVICES["proxy"]["networks"]


def test_no_secret_stands_in_the_environment() -> None:
    for name, one in SERVICES.items():
        for variable, value in one.get("environment", {}).items():
            if re.search("SECRET|PASSWORD", variable):
                assert str(value).startswith("/run/secrets/"), f"{name}: {variable}"
        assert set(one.get("secrets", [])) <= set(make_secrets.NAMES)
    files = {one["file"] for one in BASE["secrets"].values()}
    assert files == {f"${{CONVOLAB_SECRETS:-./secrets}}/{name}" for name in make_secrets.NAMES}


def test_redis_loses_no_bell_and_keeps_its_password_off_the_command_line() -> None:
    lines = (ROOT / "deploy" / "redis.conf").read_text().splitlines()
    assert {"appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction"} <= set(lines)
    assert "redis:/data" in SERVICES["redis"]["volumes"]
    assert "--requirepass" not in str(SERVICES["redis"]["command"])


def test_the_base_file_asks_for_no_gpu_and_the_gpu_file_for_one() -> None:
    assert not [name for name, one in SERVICES.items() if {"deploy", "gpus"} & set(one)]
    assert list(GPU["services"]) == ["worker-training"]
    one = GPU["services"]["worker-training"]
    devices = one["deploy"]["resources"]["reservations"]["devices"]
    assert devices == [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}]
    assert one["environment"]["CONVOLAB_DEVICE"] == "cuda"


def test_every_published_image_is_pinned() -> None:
    named = re.findall(r"^FROM (\S+:\S+)", DOCKERFILE, re.MULTILINE)
    named += [SERVICES["db"]["image"], SERVICES["redis"]["image"]]
    assert len(named) == 5
    for image in named:
        assert re.search(r":\d+(\.\d+)*-", image), image


def test_the_web_image_is_made_from_nothing_of_the_workers() -> None:
    """It builds on web-packages, so what any stage up to that one installs is in it."""
    stages = dict(re.findall(r"^FROM (.+)\n((?:(?!FROM ).*\n)*)", DOCKERFILE, re.MULTILINE))
    installs = [stage for stage, steps in stages.items() if re.search("pip install.*worker", steps)]
    assert installs == ["web-packages AS worker-packages"]
    assert "web-packages AS web" in stages
    for name in ("web", "migrate", "reaper"):
        assert SERVICES[name]["image"] == "convolab-web"


def test_the_proxy_holds_no_stream_back_and_refuses_large_bodies() -> None:
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text()
    assert re.search(r"max_size 7MB", caddyfile)
    refused = re.search(r"header_regexp Content-Length (\S+)", caddyfile)
    assert refused
    for size in (7_000_000, 7_000_001, 8_000_000, 10_000_000, 1_000_000_000):
        assert re.fullmatch(refused[1], str(size))
    for size in (0, 7, 6_999_999, 6_000_000, 999_999):
        assert not re.fullmatch(refused[1], str(size))
    assert re.search(r"flush_interval -1", caddyfile)
    assert not re.search(r"^\s*(encode|read_body|write)\b", caddyfile, re.MULTILINE)


def test_the_proxy_sends_the_static_files_that_the_newest_image_brought() -> None:
    """A named volume keeps what it held first, so each start copies into it."""
    assert "static:/srv/static:ro" in SERVICES["proxy"]["volumes"]
    assert "static:/srv/convolab/static" in SERVICES["migrate"]["volumes"]
    assert SERVICES["migrate"]["command"][-1].startswith("cp -R /opt/static/. /srv/convolab/static")
    assert "CONVOLAB_STATIC=/opt/static" in DOCKERFILE
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text()
    (sends,) = re.findall(r"handle @static {(.*?)\n\t}\n", caddyfile, re.DOTALL)
    for line in ("root * /srv", "X-Content-Type-Options nosniff", "precompressed br gzip"):
        assert line in sends
    for_ever, for_now = (re.search(rf"@{n} (.*)", sends) for n in ("for_ever", "for_now"))
    assert for_ever and for_now and for_now[1] == f"not {for_ever[1]}"
    hashed = for_ever[1].removeprefix("path_regexp ")
    assert re.search(hashed, "/static/css/site.01fe1a4aeb84.css")
    assert not re.search(hashed, "/static/css/site.css")


def test_the_proxy_believes_nobodys_forwarded_headers_by_default() -> None:
    """192.0.2.1 is nobody's (RFC 5737). Caddy 2.5 and newer know `trusted_proxies` there."""
    handler = (ROOT / "deploy" / "Caddyfile").read_text().split("reverse_proxy web:8000 {")[1]
    (trusted,) = re.findall(r"^\s*trusted_proxies (.*)", handler.split("\n\t}\n")[0], re.MULTILINE)
    assert trusted == "{$CONVOLAB_FRONT_PROXIES:192.0.2.1}"
    front = SERVICES["proxy"]["environment"]["CONVOLAB_FRONT_PROXIES"]
    assert front == "${CONVOLAB_FRONT_PROXIES:-192.0.2.1}"
    hops = SERVICES["web"]["environment"]["CONVOLAB_TRUSTED_PROXIES"]
    assert hops == "${CONVOLAB_TRUSTED_PROXIES:-1}"


def test_nothing_goes_into_an_image_that_is_not_named() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    named = {rule[1:] for rule in rules if rule.startswith("!")}
    assert not named & {"var", "secrets", ".env", ".git", "tests", "."}
    assert all((ROOT / name).exists() for name in named)


# --- The secrets


def test_secrets_are_random_and_in_a_folder_of_their_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert make_secrets.make(folder) == list(make_secrets.NAMES)
    held = [(folder / name).read_text() for name in make_secrets.NAMES]
    assert len(set(held)) == 3
    assert all(re.fullmatch("[0-9a-f]{64}", secret) for secret in held)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    # Docker mounts each file by itself: in a container other users must be able to read it.
    assert {stat.S_IMODE((folder / n).stat().st_mode) for n in make_secrets.NAMES} == {0o444}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try as another user")
def test_another_user_of_the_machine_cannot_read_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_secrets.make(tmp_path / "secrets")
    path = tmp_path / "secrets" / "secret_key"
    done = subprocess.run(
        ["cat", str(path)], capture_output=True, text=True, user=65534, group=65534
    )
    assert "Permission denied" in done.stderr


def test_a_secret_that_is_there_is_kept(tmp_path: Path) -> None:
    make_secrets.make(tmp_path)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    (tmp_path / "redis_password").unlink()
    assert make_secrets.make(tmp_path) == ["redis_password"]
    after = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"redis_password"}


@pytest.mark.parametrize("held", ["", "changeme", "a" * 64, "two words " * 8])
def test_a_secret_that_is_there_but_is_none_is_refused(tmp_path: Path, held: str) -> None:
    (tmp_path / "secret_key").write_text(held)
    assert make_secrets.main(tmp_path) == 1
    assert (tmp_path / "secret_key").read_text() == held


def test_no_script_of_ours_hides_a_standard_module_from_those_beside_it() -> None:
    names = {path.stem for path in (ROOT / "tools").glob("*.py")}
    assert not names & set(sys.stdlib_module_names)


# --- For real


@pytest.mark.compose
def test_it_comes_up_and_a_run_streams_through_the_proxy() -> None:
    done = subprocess.run([sys.executable, "tools/compose_test.py"], cwd=ROOT)
    if done.returncode == compose_test.NOT_RUN:
        not_run("engine", f"there is no Docker Engine tool ({compose_test.engine_tool()})")
    assert done.returncode == 0
