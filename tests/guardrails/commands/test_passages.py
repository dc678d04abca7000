from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.commands.passages import Kind, Passage, Passages, passages
from guardrails.interface import Shell

ANSWER = """Check it first: `systemctl status nginx`, never run `rm -rf /`.

```bash
# look
df -h /data
du -sh /data/* | \\
  sort -h
```

Then:

```console
$ uptime
 10:00 up 3 days
# free -m
```
On Windows:
PS C:\\> Get-Service spooler
$ ls -l \\
  /tmp
# Heading
```python
print("x")
```
~~~
whoami
~~~"""


def told(text: str) -> list[tuple[Kind, str]]:
    return [(one.kind, one.text) for one in passages(text)]


def test_fences_prompts_and_inline_code_are_told_apart() -> None:
    """Prompts and line ends are left out, logical lines stay whole, and what the reader is warned of is left alone."""
    assert told(ANSWER) == [
        (Kind.QUOTED, "systemctl status nginx"),
        (Kind.FENCED, "# look"),
        (Kind.FENCED, "df -h /data"),
        (Kind.FENCED, "du -sh /data/* | \\\n  sort -h"),
        (Kind.FENCED, "uptime"),
        (Kind.FENCED, " 10:00 up 3 days"),
        (Kind.FENCED, "free -m"),
        (Kind.PROMPTED, "Get-Service spooler"),
        (Kind.PROMPTED, "ls -l \\\n  /tmp"),
        (Kind.FENCED, 'print("x")'),
        (Kind.FENCED, "whoami"),
    ]


def test_offsets_are_the_answer_s() -> None:
    """A passage is found where it says, and its fence's inside begins where its first line does."""
    found = passages(ANSWER)
    assert all(ANSWER[one.start : one.end] == one.text for one in found)
    fences = {one.fence for one in found if one.kind is Kind.FENCED}
    assert [ANSWER[fence : fence + 6] for fence in sorted(fences)] == ["# look", "$ upti", "print(", "whoami"]
    assert [one.shell for one in found][7] is Shell.POWERSHELL


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("```sh\nls", [False]),
        ("```sh\nls\n", [True]),
        ("```sh\nls\n```", [True]),
        ("$ ls", [False]),
        ("$ ls\n", [True]),
        ("`ls -l`", [True]),
        ("`ls -l", []),
        ("```sh\nls \\\n", [False]),
        ("$ ls \\\n", [False]),
    ],
)
def test_a_passage_that_the_end_cut_is_not_closed(text: str, closed: list[bool]) -> None:
    """A model that ran out of tokens has written half a command."""
    assert [one.closed for one in passages(text)] == closed


def test_a_fence_that_is_warned_of_holds_no_passage() -> None:
    """It was not given to be run."""
    assert passages("Never run this:\n```sh\nrm -rf /\n```\nbut `ls -l`.")[0].text == "ls -l"


PIECES = st.lists(
    st.sampled_from(
        ["`", "```", "```sh\n", "\n", "$ ", "ls -l", "\\\n", "<<E\n", "E\n", "'", "a b", "~~~", "# ", "; do "]
    )
)


@given(PIECES, st.data())
def test_however_an_answer_is_cut_it_has_the_same_passages(pieces: list[str], data: st.DataObject) -> None:
    """What is told once stays told, in order, and never reaches behind `base`."""
    text = "".join(pieces)
    reader, found = Passages(1000), list[Passage]()
    rest = text
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        fresh = list(reader.feed(rest[:size]))
        assert all(one.end <= reader.base for one in fresh)
        found += fresh
        rest = rest[size:]
    found += reader.finish()
    assert found == passages(text)
    assert all(text[one.start : one.end] == one.text for one in found)
