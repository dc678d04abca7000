"""The README tells the truth: its blocks are played, and its links lead somewhere."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from readme_blocks import ROOT, BlockError, Scene, Stage, commands, matches, read_blocks, scenes

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = read_blocks((ROOT / "README.md").read_text(encoding="utf-8"))
SCENES = [
    pytest.param(scene, id=scene.name, marks=[pytest.mark.vllm] if scene.served else []) for scene in scenes(BLOCKS)
]


def stage(folder: Path) -> Stage:
    """A stage without the project, for the tests of the mechanism itself."""
    return Stage(folder, dict(os.environ))


@pytest.mark.parametrize("scene", SCENES)
def test_scene(scene: Scene, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """What the README shows is what happens."""
    clone = Stage(tmp_path, dict(os.environ))
    if scene.served:
        served = request.getfixturevalue("served")
        clone.url = served.url
        clone.lay(served.home)
    else:
        clone.lay()
    for block in scene.blocks:
        clone.play(block)


def test_blocks_left_to_others_are_played_there() -> None:
    """A block marked `by=FILE` names a test that runs the same commands."""
    for block in BLOCKS:
        if "by" in block.options:
            told = (ROOT / block.options["by"]).read_text(encoding="utf-8")
            words = " ".join(re.sub(r"[\"',\[\]]+", " ", told).split())
            for command, _ in commands(block.text):
                assert " ".join(command.split()) in words, f"{block.options['by']} does not run `{command}`"


def test_links_lead_somewhere() -> None:
    """Every file and every heading that README and CONTRIBUTING link to exists."""
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        anchors = {
            re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
        }
        for target in re.findall(r"\]\(([^)\s]+)\)", prose):
            path, _, anchor = target.partition("#")
            if "://" not in target:
                assert (ROOT / path).exists(), f"{name} links to {target}"
                assert path or anchor in anchors, f"{name} links to {target}"


def test_scenes_are_told_apart() -> None:
    """Blocks of a story are one scene, others one each; shown ones and those played elsewhere are none."""
    blocks = read_blocks(
        "```console\n$ true\n```\n```python story=one\na = 1\n```\n```text\nx\n```\n"
        "```console by=tests/test_readme.py\n$ make\n```\n```console story=one\n$ true\n```\n"
    )
    told = scenes(blocks)
    assert [(scene.name, len(scene.blocks), scene.served) for scene in told] == [
        ("line 1 console", 1, False),
        ("one", 2, True),
    ]


@pytest.mark.parametrize("markdown", ["```bash\nx\n```\n", "```sh stroy=one\nx\n```\n", "```text output\nx\n```\n"])
def test_block_nobody_would_play_is_refused(markdown: str) -> None:
    """An unknown language or option is an error: nothing in the README goes unplayed by a slip of the pen."""
    with pytest.raises(BlockError):
        read_blocks(markdown)


@pytest.mark.parametrize(
    ("shown", "real", "same"),
    [
        ("a\nb\n", "a\nb", True),
        ("a\n", "a\nb", False),
        ("", "a", False),
        ("", "", True),
        ("id-...-x\n", "id-123-x\n", True),
        ("a...\n", "a\nb\n", False),
        ("a\n...\nz\n", "a\nz\n", True),
        ("a\n...\nz\n", "a\n1\n2\nz\n", True),
        ("...\n", "", True),
        ("a.c\n", "abc\n", False),
        ("red  \n", "\x1b[31mred\x1b[0m\n", True),
    ],
)
def test_output_is_compared(shown: str, real: str, same: bool) -> None:
    """Line by line, with `...` for what differs each time, without colours."""
    assert matches(shown, real) is same


@pytest.mark.parametrize(
    "markdown",
    [
        "```console\n$ echo a\na\n$ cat <<X\n> b\n> X\nb\n```\n",
        "```console\n$ echo a \\\n    b\na b\n```\n",
        "```console exit=3\n$ (exit 3)\n$ echo $?\n3\n```\n",
        "```console\n$ echo oops >&2\noops\n```\n",
        "```console\n$ printf 'no newline'\nno newline\n```\n",
        "```sh\necho anything\n```\n",
        "```python\nprint(1)\n```\n",
        "```python\nprint('http://127.0.0.1:8000')\n```\n```text output\nhttp://127.0.0.1:8000\n```\n",
        '```json\n{"a": 1}\n```\n',
        "```yaml\na: 1\n```\n",
        "```yaml as=settings\nport: 8080\n```\n",
        "```yaml scene=a to=a.yaml\na: 1\n```\n```console scene=a\n$ cat a.yaml\na: 1\n```\n",
        "```console story=a\n$ export A=1\n```\n```console story=a\n$ echo $A\n1\n```\n",
        "```python story=a\na = 1\n```\n```python story=a\nprint(a)\n```\n```text output\n1\n```\n",
        "```console\n$ curl -s http://127.0.0.1:8000/x || echo http://127.0.0.1:8000\nhttp://127.0.0.1:8000\n```\n",
    ],
)
def test_true_block_passes(markdown: str, tmp_path: Path) -> None:
    """What happens as shown passes, with the address replaced by the served one and back."""
    clone = stage(tmp_path)
    clone.url = "http://127.0.0.1:9"
    for block in read_blocks(markdown):
        clone.play(block)


@pytest.mark.parametrize(
    "markdown",
    [
        "```console\n$ echo a\nb\n```\n",
        "```console\n$ echo a\n```\n",
        "```console\n$ false\n```\n",
        "```console exit=1\n$ true\n```\n",
        "```console\n$ exit 0\n$ echo a\na\n```\n",
        "```console\nno command\n```\n",
        "```sh\nfalse\necho a\n```\n",
        "```python\nprint(1)\n```\n```text output\n2\n```\n",
        "```yaml as=poem\na: 1\n```\n",
    ],
)
def test_untrue_block_fails(markdown: str, tmp_path: Path) -> None:
    """What does not happen as shown is an error that names the block."""
    (block,) = read_blocks(markdown)
    with pytest.raises(BlockError, match=r"README\.md:1|begins with a command"):
        stage(tmp_path).play(block)


def test_clone_is_laid_out(tmp_path: Path) -> None:
    """A block sees the project's files, the program on its path, and `var` as the served gateway's home."""
    home, clone = tmp_path / "home", tmp_path / "clone"
    home.mkdir()
    clone.mkdir()
    (home / "key").write_text("wg-test\n")
    laid = Stage(clone, {**os.environ, "WARDGATE_HOME": "/nowhere"})
    laid.lay(home)
    for block in read_blocks(
        "```console\n$ cat var/key\nwg-test\n$ ls Makefile\nMakefile\n$ wardgate --version\n0...\n```\n"
    ):
        laid.play(block)
