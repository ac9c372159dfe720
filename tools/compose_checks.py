"""What tools/compose_test.py asks of the stack that is up. Each check gives a detail, or raises."""

from __future__ import annotations

import hashlib
import itertools
import re
import time
from collections.abc import Callable
from pathlib import Path

from tools.compose_site import Counting, Message, Site, state_of

SERVICES = {"proxy", "web", "worker-interactive", "worker-training", "reaper", "db", "redis"}
TRAINING = "worker-training"


def one_door(site: Site) -> str:
    """Only the proxy publishes a port, and only one"""
    found = site.containers()
    assert set(found) == SERVICES, f"these run: {sorted(found)}"
    doors = [
        (name, inner, outer["HostPort"])
        for name, one in found.items()
        for inner, outers in one["NetworkSettings"]["Ports"].items()
        for outer in outers or []
    ]
    assert doors == [("proxy", "80/tcp", str(site.port))], f"published: {doors}"
    return f"({site.port})"


def confined(site: Site) -> str:
    """No container has root, a capability, a writable root file system or a way to more"""
    for name, one in site.containers().items():
        host, status = (
            one["HostConfig"],
            Path(f"/proc/{one['State']['Pid']}/status").read_text(encoding="utf-8"),
        )
        facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert facts["Uid"].split()[0] in ("10001", "999"), f"{name} runs as {facts['Uid']}"
        assert int(facts["CapEff"], 16) == 0, f"{name} has capabilities {facts['CapEff']}"
        assert facts["NoNewPrivs"] == "1", f"{name} could gain privileges"
        assert host["CapDrop"] == ["ALL"], f"{name} drops {host['CapDrop']}"
        assert host["ReadonlyRootfs"], f"{name} has a writable root file system"
        assert host["Init"], f"{name} has no init"
        assert host["Memory"] > 0, f"{name} has no memory limit"
        assert host["PidsLimit"] > 0, f"{name} has no limit of processes"
        assert host["LogConfig"]["Config"].get("max-size"), f"the logs of {name} grow for ever"
    for name in ("web", TRAINING):
        said = site.inside(name, "sh", "-c", "touch /app/x 2>&1 || true")
        assert "Read-only file system" in said, f"{name} wrote to its own source: {said}"
    return f"({len(SERVICES)} containers)"


def kept_secrets(site: Site) -> str:
    """No secret stands in an environment, a command line or a log, and the folder is closed"""
    secrets = {path.name: path.read_text(encoding="utf-8") for path in site.secrets.iterdir()}
    shown = str(site.containers()) + site.logs()
    for one in site.containers().values():
        for line in Path(f"/proc/{one['State']['Pid']}/task").iterdir():
            shown += (line / "cmdline").read_bytes().decode(errors="replace")
    for name in ("web", TRAINING, "db", "redis"):
        shown += site.docker("top", site.containers()[name]["Id"], "-eo", "pid,args")
    assert len(secrets) == 3
    assert not (found := [name for name, held in secrets.items() if held in shown]), found
    mode = site.secrets.stat().st_mode & 0o777
    assert mode == 0o700, f"the folder of the secrets is {mode:o}"
    refused = site.inside("worker-interactive", "python", "-c", NO_PASSWORD)
    assert refused.strip() == "NOAUTH", f"Redis without its password: {refused}"
    return ""


NO_PASSWORD = """
import socket
s = socket.create_connection(("redis", 6379), 3)
s.sendall(b"PING\\r\\n")
print(s.recv(200).decode().split()[0].strip("-"))
"""


def no_torch_in_web(site: Site) -> str:
    """web has neither PyTorch nor numpy; the workers have"""
    look = "import importlib.util as u; print(*(bool(u.find_spec(n)) for n in ('torch', 'numpy')))"
    assert site.inside("web", "python", "-c", look).split() == ["False", "False"]
    assert site.inside(TRAINING, "python", "-c", look).split() == ["True", "True"]
    sizes = [
        int(site.docker("image", "inspect", "-f", "{{.Size}}", image)) / 1e6
        for image in ("convolab-web", "convolab-worker")
    ]
    return "({:.0f} MB and {:.0f} MB)".format(*sizes)


def no_way_out(site: Site) -> str:
    """web, workers, reaper, database and Redis have no way out of their networks"""
    for name in SERVICES - {"proxy"}:
        routes = site.inside(name, "cat", "/proc/net/route").splitlines()[1:]
        assert all(line.split()[1] != "00000000" for line in routes), f"{name} has a default route"
    asked = "import socket; socket.create_connection(('proxy', 80), 2)"
    said = site.inside(TRAINING, "sh", "-c", f'python -c "{asked}" 2>&1 || true')
    assert "Error" in said or "gaierror" in said, f"the worker reached the proxy: {said}"
    return ""


def pages_and_headers(site: Site) -> str:
    """Pages and static files come through the proxy, each security header once"""
    guest = site.guest()
    page, html = guest.get("/labs/")
    assert page.status == 200, f"/labs/ answered {page.status}"
    for name in ("Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options"):
        values = page.headers.get_all(name, [])
        assert len(values) == 1, f"{name}: {values}"
    assert page.headers["Server"] is None, page.headers["Server"]
    links = re.findall(rb'(?:href|src)="(/static/[^"]+)"', html)
    assert links, "the page names no static file"
    for link in links:
        got, _ = guest.get(link.decode())
        assert got.status == 200, f"{link.decode()} answered {got.status}"
        assert "immutable" in got.headers["Cache-Control"], f"{link.decode()} is not kept"
        assert got.headers.get_all("X-Content-Type-Options") == ["nosniff"], link.decode()
        assert "Access-Control-Allow-Origin" not in got.headers, f"{link.decode()} came from web"
    guest.headers["Accept-Encoding"] = "gzip"
    packed, _ = guest.get(links[0].decode())
    assert packed.headers["Content-Encoding"] == "gzip", "static files are not sent compressed"
    unnamed, _ = guest.get("/static/no-such-file.css")
    assert unnamed.status == 404, f"a file that is none answered {unnamed.status}"
    return f"({len(links)} files, by the proxy itself)"


def forged_address(site: Site) -> str:
    """A forged X-Forwarded-For is not believed: the site sees who asked the proxy"""
    guest, forged = site.guest(), "203.0.113.9"
    guest.headers["X-Forwarded-For"] = forged
    run = guest.start("kernel-forge", bias=17)
    [[seen]] = site.rows(
        "select j.address from labs_job j join labs_run r on r.job_id = j.id "
        f"where r.id = '{run.split('/')[2]}'"
    )
    assert seen not in ("", forged), f"the site took the guest for {seen or 'nobody'}"
    return f"({seen})"


def too_large(site: Site) -> str:
    """8 MB are refused with 413 within a second, also where their length is not said"""
    chunks = b"f4240\r\n" + b"x" * 1_000_000 + b"\r\n"
    tries: tuple[tuple[dict[str, str], bytes], ...] = (
        ({}, b"x" * 8_000_000),
        ({"Transfer-Encoding": "chunked"}, chunks * 8 + b"0\r\n\r\n"),
    )
    took = []
    for headers, body in tries:
        began = time.monotonic()
        connection, response = site.guest().open("POST", "/pictures/", body, **headers)
        took.append(time.monotonic() - began)
        connection.close()
        assert response.status == 413, f"answered {response.status} to {headers}"
    assert max(took) <= 1, f"after {max(took):.1f} s"
    return f"({max(took):.2f} s)"


def trains_and_streams(site: Site) -> str:
    """A guest's first-cnn run streams through the proxy, event by event, to its end"""
    guest = site.guest()
    run = guest.start("first-cnn", epochs=6)
    seen = list(guest.follow(run))
    assert seen[0].at <= 1, f"the first byte came after {seen[0].at:.1f} s"
    assert seen[-1].event == "done", f"the stream ended with {seen[-1]}"
    one_by_one(seen)
    state = state_of(site, run)
    assert state[0] == "succeeded", f"the run {state}"
    name, sha256 = site.rows(
        "select a.name, a.sha256 from labs_artifact a join labs_run r on r.job_id = a.job_id "
        f"where r.id = '{run.split('/')[2]}' and a.name like '%.safetensors'"
    )[0]
    got, content = guest.get(f"{run}files/{name}")
    assert got.status == 200, f"{name} answered {got.status}"
    assert hashlib.sha256(content).hexdigest() == sha256, f"{name} is another file"
    stranger, _ = site.guest().get(f"{run}files/{name}")
    assert stranger.status == 404, f"a stranger's {name}: {stranger.status}"
    span = seen[-1].at - seen[0].at
    return f"({len(seen)} messages over {span:.1f} s; {name} whole, {len(content):,} bytes)"


def one_by_one(seen: list[Message]) -> None:
    """Not in one heap at the end: they came at many moments, of which no gap is most of it."""
    times = [message.at for message in seen]
    span, moments = times[-1] - times[0], {round(at, 1) for at in times}
    assert len(moments) >= 8, f"{len(seen)} messages came at {len(moments)} moments"
    longest = max(after - before for before, after in itertools.pairwise(times))
    assert longest <= 0.7 * span, f"a gap of {longest:.1f} s in {span:.1f} s"


def deploy_in_mid_run(site: Site) -> str:
    """worker-training is replaced with 1 run running and 2 queued: none lost, none twice"""
    guest = site.guest()
    runs = [Counting(guest, seed) for seed in (1, 2, 3)]
    runs[0].until(4)
    site.compose("up", "-d", "--no-deps", "--force-recreate", TRAINING)
    gap = runs[0].until_it_goes_on(time.monotonic(), 30)
    attempts = [run.ended_well(site)[0] for run in runs]
    assert attempts == [2, 1, 1], f"attempts: {attempts}"
    jobs = site.rows("select count(*) from labs_job where lab = 'steady'")
    assert jobs == [["3"]], f"{jobs} jobs for 3 runs"
    slowest = max(run.first_byte or 9 for run in runs)
    assert slowest <= 1, f"the first byte came after {slowest:.1f} s"
    return f"(went on {gap:.1f} s after the new one was started; first byte ≤ {slowest:.2f} s)"


def killed_in_mid_run(site: Site) -> str:
    """A busy worker-training is healthy; killed and started again, it goes on within 45 s"""
    counting = Counting(site.guest(), seed=4)
    counting.until(3)
    container = site.containers()[TRAINING]
    test = container["Config"]["Healthcheck"]["Test"]
    began = time.monotonic()
    site.inside(TRAINING, "sh", "-c", test[1])
    ping = time.monotonic() - began
    site.docker("kill", "-s", "KILL", container["Id"])
    killed = time.monotonic()
    site.compose("up", "-d", "--no-deps", TRAINING)
    gap = counting.until_it_goes_on(killed, 45)
    attempt, _ = counting.ended_well(site)
    assert attempt == 2, f"attempt {attempt}"
    return f"(ping {ping:.1f} s, went on after {gap:.1f} s)"


def healthy_to_the_end(site: Site) -> str:
    """Every container is healthy, and none was restarted by itself or ran out of memory"""
    end = time.monotonic() + 60
    while True:
        found = site.containers()
        states = {name: one["State"]["Health"]["Status"] for name, one in found.items()}
        if set(states.values()) == {"healthy"}:
            break
        assert time.monotonic() < end, f"{states}"
        time.sleep(1)
    for name, one in found.items():
        assert one["RestartCount"] == 0, f"{name} was restarted {one['RestartCount']} times"
        assert not one["State"]["OOMKilled"], f"{name} ran out of memory"
    return ""


def gpu_only_where_asked(site: Site) -> str:
    """This runs without a GPU; with docker-compose.gpu.yml the training worker reserves one"""
    files = ("-f", "docker-compose.yml", "-f", "docker-compose.gpu.yml")
    said = site.docker("compose", *files, "config")
    assert said.count("driver: nvidia") == 1
    assert "CONVOLAB_DEVICE: cuda" in said
    return ""


CHECKS: tuple[Callable[[Site], str], ...] = (
    one_door,
    confined,
    no_torch_in_web,
    no_way_out,
    pages_and_headers,
    forged_address,
    too_large,
    trains_and_streams,
    deploy_in_mid_run,
    killed_in_mid_run,
    healthy_to_the_end,
    kept_secrets,
    gpu_only_where_asked,
)
