"""The house's rules that no linter holds; import rules stand in pyproject.toml and are import-linter's."""

from __future__ import annotations

import ast
import json
import os
import shutil
import statistics
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("guardrails", "gateway", "training")
WEB = {"fastapi", "starlette", "uvicorn", "aiohttp", "prometheus_client"}
DATABASE = {"sqlalchemy", "alembic", "psycopg"}
MODELS = {"torch", "transformers", "vllm"}


def sources(*folders: str) -> list[Path]:
    return sorted(
        path for folder in folders for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts
    )


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def loaded_by(modules: list[str]) -> set[str]:
    """Top-level packages that a new Python holds after importing `modules`."""
    code = (
        "import importlib, json, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def modules(folder: str) -> list[str]:
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in sources(folder)]
    return [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]


@pytest.mark.parametrize(
    ("folder", "kept_out"),
    [
        pytest.param("guardrails", WEB | DATABASE | MODELS, id="guardrails-alone"),
        pytest.param("gateway/store", WEB | MODELS, id="store-without-web"),
        pytest.param("gateway/preferences", WEB | MODELS, id="preferences-without-web"),
    ],
)
def test_package_loads_without(folder: str, kept_out: set[str]) -> None:
    """A CI job that judges commands, and a training run that reads the store, load no web framework."""
    unwanted = loaded_by([name for name in modules(folder) if ".migrations" not in name]) & kept_out
    assert not unwanted, f"importing {folder} loads {unwanted}"


def test_gateway_loads_no_model_library() -> None:
    """The gateway's image has no torch, so nothing that its app imports may load it."""
    assert not loaded_by(["gateway.app", "gateway.cli"]) & MODELS


def test_help_loads_no_web_framework() -> None:
    """`wardgate --help` is quick: leaves are imported when they are called."""
    code = "import sys; sys.argv = ['wardgate', '--version']; import gateway.cli; gateway.cli.main()"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert not imported & (WEB | DATABASE | MODELS)


@pytest.mark.parametrize("path", sources(*PACKAGES), ids=lambda path: str(path.relative_to(ROOT)))
def test_module_says_what_it_is(path: Path) -> None:
    """Every public module has a docstring, and every `__init__` is empty."""
    if path.name == "__init__.py":
        assert not path.read_text(encoding="utf-8").strip()
    elif not path.name.startswith("_"):
        assert ast.get_docstring(parsed(path)), f"{path.relative_to(ROOT)} does not say what it is for"


def test_files_are_short() -> None:
    """A file has at most 400 lines, tests and tools included."""
    long = {str(path.relative_to(ROOT)): lines(path) for path in sources(*PACKAGES, "tests", "tools", "bench")}
    assert not {name: count for name, count in long.items() if count > 400}


@pytest.mark.parametrize("package", PACKAGES)
def test_median_file_is_short(package: str) -> None:
    """Half of a package's files have at most 150 lines; empty `__init__` files do not count."""
    assert statistics.median([lines(path) for path in sources(package) if path.name != "__init__.py"] or [0]) <= 150


def test_functions_are_short() -> None:
    """A function has at most 60 lines, so that it can be read without scrolling; a story is told in one piece."""
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name} {node.end_lineno - node.lineno + 1}"
        for path in sources(*PACKAGES, "tests", "tools", "bench")
        if path.parent.name != "stories"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= 60
    ]
    assert not long


def test_one_file_knows_prometheus() -> None:
    """Metrics are plain methods; only `gateway/metrics.py` imports prometheus_client."""
    importers = [
        str(path.relative_to(ROOT))
        for path in sources(*PACKAGES)
        for node in ast.walk(parsed(path))
        if (isinstance(node, ast.Import) and any(name.name.startswith("prometheus_client") for name in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("prometheus_client"))
    ]
    assert set(importers) == {"gateway/metrics.py"}


SKIPS = "import pytest\ndef test_a(): pytest.skip({reason!r})\ndef test_b(): pass\n"


@pytest.mark.parametrize(
    ("ci", "story", "arguments", "status"),
    [
        pytest.param("true", SKIPS.format(reason="no strace here"), (), 1, id="skip"),
        pytest.param("", SKIPS.format(reason="no strace here"), (), 0, id="skip-on-a-desk"),
        pytest.param("true", SKIPS.format(reason="../shared/data is not there"), (), 0, id="skip-of-what-is-beside"),
        pytest.param("true", "import pytest\npytest.skip('no vLLM', allow_module_level=True)\n", (), 1, id="module"),
        pytest.param("true", "def helper(): pass\n", (), 1, id="story-without-a-test"),
        pytest.param("true", "def test_b(): pass\n", (), 0, id="played"),
        pytest.param(
            "true", "import pytest\n@pytest.mark.xfail\ndef test_a(): assert False\n", ("-k", "a"), 0, id="xfail"
        ),
    ],
)
def test_ci_refuses_skips(tmp_path: Path, ci: str, story: str, arguments: tuple[str, ...], status: int) -> None:
    """In CI a skipped test, or a story that was not played, fails the run; on a desk it does not."""
    stories = tmp_path / "tests" / "stories"
    stories.mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests")
    (stories / "test_story.py").write_text(story)
    (tmp_path / "tests" / "test_other.py").write_text("def test_other(): pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = tests\naddopts = --import-mode=importlib\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=tmp_path,
        env={**environment, "CI": ci},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stdout
