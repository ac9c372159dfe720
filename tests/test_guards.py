"""What must stay true of the code as a whole: layers, bans, and documents that name everything.

Each looks at all files at once and lists those at fault: a test a file cost more than its look.
"""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from labs.events import KINDS
from tools.processes import BIN, ROOT

HEAVY = ("torch", "torchvision", "numpy", "sklearn", "mlxtend")
TRAINED_NETWORK = "labs/nets/efficientnet.py"
"""The one module that may call torch.load: for the bundled ImageNet weights, with weights_only."""


@cache
def files(*patterns: str) -> list[str]:
    """Our own files that match one of these, tracked or about to be."""
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    ours = [name for name in said.splitlines() if (ROOT / name).is_file()]
    return [name for name in ours if any(fnmatch(name, pattern) for pattern in patterns)]


def is_test(name: str) -> bool:
    return name.startswith("tests/") or Path(name).name.startswith(("test_", "conftest"))


@cache
def parsed(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(), name)


def imports(name: str) -> Iterator[str]:
    """The modules that a file imports, wherever in it; `from a import b` gives a and a.b."""
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(name: str) -> Iterator[tuple[str, dict[str, object]]]:
    """The calls in a file: the dotted name, and the keywords that are constants."""
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Call):
            constants = {k.arg or "": getattr(k.value, "value", "?") for k in node.keywords}
            yield ast.unparse(node.func), constants


def within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def run(*command: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **(env or {})}
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return done.stdout


# --- platform/ is a source root, and hides nothing ---


def test_platform_is_not_a_package() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_nothing_under_platform_is_named_like_a_standard_module() -> None:
    names = {path.stem for path in (ROOT / "platform").iterdir()}
    assert names & sys.stdlib_module_names == set()


def test_platform_is_the_standard_library_in_pytest() -> None:
    import platform

    assert platform.system() == os.uname().sysname


def test_platform_is_the_standard_library_under_manage_py() -> None:
    said = run(
        sys.executable, "manage.py", "shell", "-c", "import platform as p; print(p.system())"
    )
    assert said.splitlines()[-1] == os.uname().sysname


def test_platform_is_the_standard_library_under_celery() -> None:
    said = run(str(BIN / "celery"), "-A", "workers.app", "report")
    assert f"system:{os.uname().sysname}" in said


def test_platform_is_the_standard_library_under_uvicorn(tmp_path: Path) -> None:
    probe = "import platform, sys\nimport config.asgi\nsys.exit(platform.system() + ' it is')\n"
    (tmp_path / "probe.py").write_text(probe)
    served = [str(BIN / "uvicorn"), "probe:application", "--app-dir", "platform"]
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(served, cwd=ROOT, capture_output=True, text=True, env=env)
    assert f"{os.uname().sysname} it is" in done.stderr


# --- layers ---

COMPUTE = files("labs/catalog/*/*.py", "labs/nets/*.py", "labs/data/*.py")
CONTRACT = files(
    *(
        f"labs/{n}.py"
        for n in (
            "events",
            "params",
            "context",
            "lab",
            "questions",
            "readings",
            "words",
            "fields",
            "refusals",
        )
    )
)
SITE = ("django", "config", "accounts", "courses", "workers", "celery", "redis", "rest_framework")
MAY_BE_USED = (
    "labs.nets",
    "labs.data",
    "labs.catalog",
    *(f"labs.{Path(n).stem}" for n in CONTRACT),
)


def test_compute_knows_nothing_of_the_site() -> None:
    asked = [(n, module) for n in COMPUTE + CONTRACT if not is_test(n) for module in imports(n)]
    assert [(name, module) for name, module in asked if within(module, *SITE)] == []
    ours = [(name, module) for name, module in asked if module.startswith("labs.")]
    assert [(name, module) for name, module in ours if not within(module, *MAY_BE_USED)] == []


def test_a_lab_declares_itself_without_torch() -> None:
    declared = files("labs/catalog/*/lab.py", "labs/catalog/*/questions.py")
    asked = [(name, module) for name in declared for module in imports(name)]
    assert asked and [(name, module) for name, module in asked if within(module, *HEAVY)] == []


def test_the_catalogue_loads_without_torch_and_without_the_site() -> None:
    look = "import sys, labs.lab; labs.lab.catalog(); print(*sys.modules)"
    loaded = run(sys.executable, "-c", look, env={"CONVOLAB_CATALOGUES": "labs.catalog"}).split()
    assert set(loaded) & {*HEAVY, "django", "celery"} == set()


WEB = """
import sys, django
django.setup()
import config.asgi, config.urls
from django.core.management import call_command
from django.test import Client
from labs.lab import catalog
call_command("migrate", verbosity=0)
addresses = ["/", *(f"/labs/{slug}/" for slug in catalog())]
answers = {address: Client().get(address).status_code for address in addresses}
assert set(answers.values()) == {200}, answers
print(*sys.modules)
"""


def test_the_web_process_loads_neither_torch_nor_numpy(tmp_path: Path) -> None:
    own = {
        "CONVOLAB_VAR": str(tmp_path),
        "DATABASE_URL": "",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    assert set(run(sys.executable, "-c", WEB, env=own).split()) & set(HEAVY) == set()


# --- bans ---

PYTHON = files("*.py")
PICKLES = ("pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal")
LOADERS = ("torch.load", "torch.jit.load", "torch.export.load", "torch.package.PackageImporter")
NUMPY_LOADERS = ("np.load", "numpy.load")
HTTP = ("requests", "httpx", "urllib.request", "http.client", "urllib3", "aiohttp", "ftplib")


def pickles(name: str) -> Iterator[str]:
    """What in a file reads a pickle, or could."""
    yield from (module for module in imports(name) if within(module, *PICKLES))
    for function, given in calls(name):
        if function in NUMPY_LOADERS and given.get("allow_pickle", False) is not False:
            yield f"{function} with allow_pickle"
        trained = function == "torch.load" and name == TRAINED_NETWORK
        if trained and given.get("weights_only") is not True:
            yield f"{function} without weights_only"
        elif function.endswith("read_pickle") or (function in LOADERS and not trained):
            yield function


def test_nothing_reads_a_pickle() -> None:
    assert [(name, what) for name in PYTHON for what in pickles(name)] == []


def test_the_site_asks_nothing_of_the_network() -> None:
    """No fetch by URL, so no request that a learner could forge (SSRF)."""
    site = files("labs/*.py", "workers/*.py", "platform/*.py", "courses/*.py")
    asked = [(name, module) for name in site if not is_test(name) for module in imports(name)]
    assert asked and [(name, module) for name, module in asked if within(module, *HTTP)] == []


NAMESPACE = re.compile(r"http://www\.w3\.org/(2000/svg|1999/xhtml|1999/xlink|1998/Math/MathML)")
SOURCE_LINK = re.compile(r'<a\b[^>]*\brel="[^"]*external[^"]*"[^>]*>')
OUTSIDE = re.compile(r"""(?:https?:|wss?:|(?<=["'(]))//[\w-]+\.\S*""")


def addresses(name: str) -> list[str]:
    """The addresses outside the site that a file names, but for the links of a source."""
    text = SOURCE_LINK.sub("", NAMESPACE.sub("", (ROOT / name).read_text()))
    return OUTSIDE.findall(text)


def test_a_page_names_no_address_outside_the_site() -> None:
    sent = files("templates/*", "static/*.css", "static/*.js", "static/*.svg", "labs/*.html")
    assert len(sent) > 50 and {name: addresses(name) for name in sent if addresses(name)} == {}


REGISTRIES = [  # in parts, so that this file does not name them
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("download", "pytorch", "org"),
        ("deb", "debian", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
    )
]


def test_no_file_names_a_package_registry() -> None:
    texts = {name: (ROOT / name).read_bytes().decode(errors="ignore") for name in files("*")}
    assert [(name, r) for name, text in texts.items() for r in REGISTRIES if r in text] == []


def test_the_packages_here_are_those_that_constraints_txt_names() -> None:
    """Otherwise the tests speak of other versions than a fresh clone gets."""
    pins = [line.split("==") for line in (ROOT / "constraints.txt").read_text().split()]
    here = {name: importlib.metadata.version(name).partition("+")[0] for name, _ in pins}
    assert here == dict(pins)


def test_no_worker_sends_heartbeats() -> None:
    """Where Redis is away each would wait in a loop of Celery's that no signal ends."""
    lines = text_of("Procfile", "docker-compose.yml").splitlines()
    workers = [line for line in lines if re.search(r"workers\.app,? worker", line)]
    assert len(workers) == 4 and all("--without-heartbeat" in line for line in workers)


# --- documents ---


@cache
def text_of(*patterns: str) -> str:
    found = files(*patterns)
    assert found, f"there is no {' or '.join(patterns)}"
    return "\n".join((ROOT / name).read_text() for name in found)


def settings_from_the_environment() -> list[str]:
    code = [n for n in files("platform/*.py", "labs/*.py", "workers/*.py") if not is_test(n)]
    named = r'"((?:CONVOLAB|DJANGO|DATABASE|REDIS)_[A-Z_]+)"'
    found = {name for path in code for name in re.findall(named, (ROOT / path).read_text())}
    return sorted(found - {"DJANGO_SETTINGS_MODULE"})


def settings_of_compose() -> list[str]:
    """What docker-compose.yml, .gpu.yml and the Caddyfile take from .env or the shell."""
    deployed = text_of("docker-compose*.yml", "deploy/Caddyfile")
    return sorted(set(re.findall(r"(?<!\$)(?:\$\{|\{\$)([A-Z_]+)", deployed)))


def test_the_documents_name_every_setting() -> None:
    read = [*settings_from_the_environment(), *settings_of_compose()]
    assert [name for name in read if f"`{name}`" not in text_of("docs/*.md", "README.md")] == []


TOLD = ("CONVOLAB_REQUIRE", "CONVOLAB_DOCKER_ENGINE", "CONVOLAB_DOCKER_ENV")


def test_contributing_names_what_the_tests_can_be_told() -> None:
    code, told = text_of("tests/needs.py", "tools/compose_test.py"), text_of("CONTRIBUTING.md")
    assert [name for name in TOLD if f'"{name}"' not in code or f"`{name}" not in told] == []


def targets() -> list[str]:
    return re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.M)


def test_the_documents_name_every_make_target() -> None:
    told = text_of("README.md", "CONTRIBUTING.md")
    assert [name for name in targets() if f"`make {name}" not in told] == []


def test_every_kind_of_event_has_its_template_and_its_place_in_the_guide() -> None:
    there, guide = ROOT / "templates" / "events", text_of("docs/writing-a-lab.md")
    assert [kind for kind in KINDS if not (there / f"{kind}.html").is_file()] == []
    assert [kind for kind, event in KINDS.items() if event.__name__ not in guide] == []
