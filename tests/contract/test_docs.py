"""Documents say what is so: names that exist, settings with their defaults, a lab that runs."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.contract.shelf import pytest_on, python, shelf_in
from tools.processes import ROOT

DOCS = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
DOTTED = re.compile(r"\b((?:labs|workers|accounts|config)(?:\.\w+)+)(?![\w/])")
PATH = re.compile(r"`((?:labs|workers|platform|tests|tools|docs|templates|static)/[\w./-]*)`")
FOLDERS = re.compile(r"^([a-z]+/)(?: {2,}|$)", re.M)
SETTING = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \|", re.M)


def doc(name: str) -> str:
    return (ROOT / name).read_text()


def resolve(dotted: str) -> object:
    """A module, or what one defines or exports: what it merely imports is named elsewhere.

    Raises ImportError or AttributeError.
    """
    module, *rest = dotted.split(".")
    found: Any = importlib.import_module(module)
    for name in rest:
        inner = getattr(found, name, None)
        if inner is None:
            inner = importlib.import_module(f"{found.__name__}.{name}")
        elif inspect.ismodule(found) and not inspect.ismodule(inner) and name in imported(found):
            raise AttributeError(f"{found.__name__} merely imports {name}")
        found = inner
    return found


def imported(module: ModuleType) -> set[str]:
    """The names that a module imports, and does not export."""
    nodes = ast.walk(ast.parse(inspect.getsource(module)))
    names = {a.asname or a.name for n in nodes if isinstance(n, ast.ImportFrom) for a in n.names}
    return names - set(getattr(module, "__all__", ()))


@pytest.mark.parametrize("dotted", sorted(set(DOTTED.findall(doc("docs/a-click.md")))))
def test_the_path_of_a_click_names_what_exists(dotted: str) -> None:
    assert resolve(dotted)


@pytest.mark.parametrize("dotted", ["labs.live.Wish", "labs.drafts.no_such", "labs.no_such"])
def test_a_name_that_is_not_of_its_module_is_refused(dotted: str) -> None:
    with pytest.raises((ImportError, AttributeError)):
        resolve(dotted)


def test_the_path_of_a_click_names_its_five_hops() -> None:
    hops = re.findall(r"^## (\d)\. ", doc("docs/a-click.md"), re.M)
    assert hops == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_paths_that_a_document_names_are_there(path: Path) -> None:
    named = PATH.findall(path.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_pages_that_a_document_links_to_are_there(path: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(), flags=re.S)
    linked = re.findall(r"\]\(([^)#]+)\)", prose)
    assert [name for name in linked if not (path.parent / name).exists()] == []


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_headings_that_a_document_links_to_are_there(path: Path) -> None:
    text = path.read_text()
    headings = re.findall(r"^##+ (.+)$", text, re.M)
    there = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= there


def test_the_readmes_tree_has_every_folder_of_the_project() -> None:
    tree = set(FOLDERS.findall(doc("README.md")))
    made = ("node_modules", "secrets", "var")
    folders = (path.name for path in ROOT.iterdir() if path.is_dir())
    ours = {f"{name}/" for name in folders if name[0] not in "._" and name not in made}
    assert tree == ours


def settings_in_code() -> dict[str, str | None]:
    """Every variable that the settings read, with its default as the code writes it."""
    found: dict[str, str | None] = {}
    code = doc("platform/config/settings.py") + doc("platform/config/addresses.py")
    code = code.replace("from __future__ import annotations", "")
    for node in ast.walk(ast.parse(code)):
        if (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).startswith("env.")
            and isinstance(node.args[0], ast.Constant)
        ):
            default = next((k.value for k in node.keywords if k.arg == "default"), None)
            plain = isinstance(default, ast.Constant | ast.BinOp)
            text = ast.get_source_segment(code, default) if default and plain else None
            found[str(node.args[0].value)] = text
    return found


def test_operating_says_each_default_as_the_code_has_it() -> None:
    said = dict(SETTING.findall(doc("docs/operating.md")))
    for name, default in settings_in_code().items():
        assert name in said, f"docs/operating.md does not name {name}"
        if default and default not in ('""', "[]"):
            assert said[name].strip("`") == default.strip('"'), name


def test_operating_names_no_setting_that_is_not_read() -> None:
    code = "".join(
        path.read_text()
        for folder in ("platform", "labs", "workers", "tools")
        for path in (ROOT / folder).rglob("*.py")
    )
    named = [name for name, _ in SETTING.findall(doc("docs/operating.md"))]
    assert len(named) == len(set(named))
    assert [name for name in named if f'"{name}"' not in code] == []


CONTROLS = ("slider", "choice", "switch", "matrix", "picture", "blocks", "drawing")


def test_the_guide_to_labs_names_every_control() -> None:
    there = [p.stem for p in (ROOT / "templates" / "controls").glob("*.html")]
    assert set(CONTROLS) == set(there) - {"refused", "seed"}
    guide = doc("docs/writing-a-lab.md")
    assert [name for name in CONTROLS if f"`{name}(" not in guide] == []


EXAMPLE = ("lab.py", "compute.py", "test_blind_spot.py")


def example() -> dict[str, str]:
    """The files of the guide's example, by their names."""
    after = doc("docs/writing-a-lab.md").partition("## The example, whole")[2]
    return dict(zip(EXAMPLE, re.findall(r"```python\n(.*?)```", after, re.S), strict=True))


def test_the_guides_example_passes_ruff_where_it_belongs(tmp_path: Path) -> None:
    folder = tmp_path / "labs" / "catalog" / "blind_spot"
    folder.mkdir(parents=True)
    for package in (folder, *folder.parents[:2]):
        (package / "__init__.py").touch()
    for name, text in example().items():
        (folder / name).write_text(text)
    (tmp_path / "pyproject.toml").write_text(doc("pyproject.toml"))
    for habit in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *habit, "."]
        done = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_guides_example_is_a_lab_that_passes_the_contract_tests(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    command = re.search(r"^\S+python (manage\.py new_lab .*)$", doc("docs/writing-a-lab.md"), re.M)
    assert command
    made = python(shelf, *shlex.split(command[1]))
    assert made.returncode == 0, made.stderr
    lab = shelf / "blind_spot"
    assert {path.name for path in lab.glob("*.py")} == {"__init__.py", *EXAMPLE}
    for name, text in example().items():
        (lab / name).write_text(text.replace("labs.catalog.", f"{shelf.name}."))
    tried = pytest_on(shelf)
    assert tried.returncode == 0, tried.stdout
