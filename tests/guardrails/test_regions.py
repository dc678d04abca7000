from __future__ import annotations

import pytest

from guardrails.interface import Shell
from guardrails.regions import (
    Language,
    as_spoken,
    bare,
    command_before,
    english,
    language,
    prompt_end,
    prompt_shell,
    prompted,
    sentence_before,
    waits_for,
    waits_in_code,
)


def test_labels_name_languages() -> None:
    assert language("Bash") == (Language.SHELL, Shell.BASH)
    assert language("{.powershell}") == (Language.SHELL, Shell.POWERSHELL)
    assert language("console") == language("") == (Language.TRANSCRIPT, Shell.AUTO)
    assert language("python") == (Language.CODE, Shell.AUTO)


@pytest.mark.parametrize(
    ("before", "shell"),
    [
        ("$ ", Shell.AUTO),
        ("  # ", Shell.AUTO),
        ("root@db1:/var# ", Shell.AUTO),
        ("(venv) me@host ~ % ", Shell.AUTO),
        ("PS C:\\Users> ", Shell.POWERSHELL),
        ("PS> ", Shell.POWERSHELL),
        ("C:\\Windows> ", Shell.CMD),
        ("postgres=# ", Shell.SQL),
        ("mysql> ", Shell.SQL),
    ],
)
def test_prompts_are_known_with_their_shell(before: str, shell: Shell) -> None:
    assert prompted(before)
    assert prompt_end(f"{before}ls") == len(before)
    assert prompt_shell(before) is shell


@pytest.mark.parametrize("before", ["", "- ", "1. ", "> ", "**", "Command: ", "   * ", "Step 2: "])
def test_markup_leaves_a_word_the_first_of_its_line(before: str) -> None:
    assert bare(before)
    assert not bare(f"{before}then ")


@pytest.mark.parametrize(
    ("text", "open_"),
    [
        ("ls\n", False),
        ("rm \\\n", True),
        ("echo 'a\n", True),
        ('echo "a\n', True),
        ('echo "a\nb"\n', False),
        ("echo \\'a\n", False),
        ("cat <<EOF\nx\n", True),
        ("cat <<'EOF' | sh\nx\nEOF\n", False),
        ("cat <<<word\n", False),
        ("a |\n", True),
        ("a &&\n", True),
        ("for i in a; do\n", True),
        ("for i in a; do\n b\ndone\n", False),
        ("if a; then\n b\nfi\n", False),
        ("f() {\n", True),
        ("f() {\n a\n}\n", False),
        ("ls # don't\n", False),
    ],
)
def test_a_shell_waits_where_something_is_open(text: str, open_: bool) -> None:
    assert (waits_for(text, prose=False) is not None) is open_


def test_an_apostrophe_is_a_quote_in_a_script_and_none_in_prose() -> None:
    assert waits_for("echo don't\n", prose=False)
    assert waits_for("echo don't\n", prose=True) is None


@pytest.mark.parametrize(
    ("text", "open_"),
    [
        ("x = 1\n", False),
        ("run([\n", True),
        ("run([\n'a'])\n", False),
        ("x = '''\n", True),
        ("x = '''\ny'''\n", False),
        ("print(')')  # (\n", False),
        ("command:\n", True),
        ("command:\n  - rm\n", True),
        ("command:\n  - rm\nimage: x\n", False),
    ],
)
def test_a_program_waits_for_brackets_strings_and_lists(text: str, open_: bool) -> None:
    assert (waits_in_code(text) is not None) is open_


def test_a_sentence_s_own_punctuation_is_no_part_of_the_command() -> None:
    assert as_spoken("rm -rf /data.", "run ").rstrip() == "rm -rf /data"
    assert as_spoken('rm -rf /data" now', 'type "').rstrip() == "rm -rf /data"
    assert as_spoken("rm -rf /data** now", "**").rstrip() == "rm -rf /data"
    assert as_spoken("rm -rf /data</code> now", "<code>").rstrip() == "rm -rf /data"
    for text in ("find . -name x.", "it's a, b: c!"):
        assert len(as_spoken(text, "")) == len(text)


def test_sentences_and_commands_begin_where_they_do() -> None:
    assert sentence_before("First. Then (") == "Then ("
    assert sentence_before("e.g. this ") == "e.g. this "
    assert command_before("PS C:\\> Get-Item x | ") == "Get-Item x | "
    assert command_before("Now run ls -d x | ") == "ls -d x | "


def test_english_words_need_more_evidence() -> None:
    assert english("find", " it")
    assert english("Git", " prune")
    assert english("rm", " command")
    assert not english("rm", " -rf")
