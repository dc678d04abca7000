"""Texts that are meant to cost: what a parser re-reads, what a pattern retries, what holds a line back for ever.

Each is a way to fill any length, so that growth can be measured. `random_motifs` makes more of them, by chance.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable

Maker = Callable[[int], str]


def repeated(motif: str, before: str = "", after: str = "") -> Maker:
    """Fills a length with `motif`, between `before` and `after`."""

    def make(length: int) -> str:
        room = max(0, length - len(before) - len(after))
        return before + (motif * (room // len(motif) + 1))[:room] + after

    return make


def numbered(motif: str, before: str = "", after: str = "") -> Maker:
    """As `repeated`, `{n}` in the motif being another number each time."""

    def make(length: int) -> str:
        pieces, size, number = [before], len(before) + len(after), 0
        while size < length:
            piece = motif.replace("{n}", str(number))
            pieces.append(piece)
            size += len(piece)
            number += 1
        return ("".join(pieces) + after)[:length]

    return make


def nested(opening: str, closing: str, inside: str = "rm -rf /") -> Maker:
    """Something in brackets, as deep as the length allows."""

    def make(length: int) -> str:
        deep = max(0, (length - len(inside)) // (len(opening) + len(closing)))
        return opening * deep + inside + closing * deep

    return make


def encoded(length: int) -> str:
    """Base64 of base64 of a command, as often as it fits."""
    inner = b"rm -rf / ; " * (length * 9 // 16 // 11)
    return base64.b64encode(base64.b64encode(inner)).decode()[:length]


REPEATED = (
    "a|", "(", "[", "{", "$(", "${", "`", "'", '"', "<<", "<(", ">(", ";", "&&", "&", "||", "\\", "^", "%", "%25",
    "%2525", "&amp;", "&amp;amp;", "~", "~~~", "```\n", "```", "- ", "1. ", "> ", "rm ", "rm -rf /x ", "rm;",
    "rm ; ", "sudo ", "eval ", "env ", "xargs ", "timeout 1 ", "bash -c ", 'bash -c "', "\n", "\r", "\r\n", " ",
    "\t", "a", "A", "aGVsbG8", "QUJD", "4142", "\\x72", "\\u0072", "\\162", "a\u0301", "\u0301", "\U000e0041",
    "\ufe0f", "\uff52\uff4d ", "\uff1b", "&#114;", "\ud800", "\x00", "\x1b[0m", "\u200b", "\u202e", "if true; then ",
    "for i in a b; do ", "while :; do ", "case x in x) ", "{a,b}", "{a,b", "{1..99}", "{a,{b,", "$IFS", "$a", "${a}",
    "${a:-", "$((", "((", "[[", "[ ", "! ", "f(){ ", "f() { f|f& };f ", "\\\n", "a\\\n", "cat <<E\n",
    "cat <<'E'\nx\n", "echo a > b ", "> /x ", "> /dev/sda ", ">", "<", "2>&1 ", "#", "# x\n", "a#", '{"a":', "[",
    '["a",', '{"cmd":"rm","a":["-rf","/"]},', '{"', '"\\"', "a=b ", "a=$a$a\n", "a+=x\n", "*", "?", "[a", "a*b",
    "run rm ", "never run rm ", "the rm command. ", "delete from ", "drop table x; ", "select (", "/*", "--", "-",
    "- a", "-- ", "remove-item ", "@(", "@{", "$_.", "| % { ", "foreach-object { ", "powershell -c ", "cmd /c ",
    "for %i in (a) do ", "if 1==1 (", "^^^^", "%a%", "!a!", "&a", "|", "|&", "a b ", "a.b.", "a/", "../",
    "http://a/", "a@b:", "user@host:~$ ", "PS C:\\> ", "`rm` ", "`rm -rf /` ", "*rm* ", "**", "__", "<a>", "</a>",
    "<a ", "|a|b|\n", "a: ", "- rm -rf x\n", "echo x | sh\n", "x | sh ", "alias a=b\n", "ssh h ", "find . -exec ",
    "xargs -I{} ", "docker exec c ", "python -c '", "kubectl delete ", "git push --force ", "rm$IFS-rf$IFS/",
    "r''m ", "r\\m ", "$'\\x72'", "rm\xa0-rf ", "0x72 6d ", "72 6d ", "eA==", "command ", "then ", "and ", ". A",
    "A. ", "! A", "e.g. ",
)  # fmt: skip
"""Motifs that are repeated to fill a text."""

MADE: dict[str, Maker] = {
    "prose word then opened quote": repeated("rm 'a ", "run "),
    "held line: heredoc never closed": repeated("x\n", "cat <<E\n"),
    "held line: block never closed": repeated("echo a\n", "if true; then\n"),
    "held line: quote never closed": repeated("it's a line\n", "rm '\n"),
    "held line: continued": repeated("a \\\n", "rm \\\n"),
    "held line: pipes": repeated("cat |\n", "cat |\n"),
    "fence: heredoc never closed": repeated("x\n", "```bash\ncat <<E\n"),
    "fence: quote never closed": repeated("a b c\n", '```bash\necho "\n'),
    "fence: blocks": repeated("if true; then\n", "```bash\n"),
    "fence: commands": repeated("systemctl restart nginx\n", "```bash\n"),
    "fence: one long line": repeated("a b ", "```bash\necho "),
    "fence: code brackets": repeated("f(\n", "```python\n"),
    "fence: code strings": repeated("x = 'rm -rf /tmp/x'\n", "```python\n"),
    "fence: transcript": repeated("$ ls\nfile\n", "```\n"),
    "fences": repeated("```bash\nls\n```\n"),
    "functions": numbered("f{n}() { echo {n}; }\n"),
    "functions that call on": numbered("f{n}() { f{n}0; f{n}1; }\n", "", "f0\n"),
    "function called often": repeated("f a\n", "f() { echo x; echo y; echo z; }\n"),
    "aliases": numbered("alias a{n}='echo {n}'\n"),
    "aliases of aliases": numbered("alias a{n}='a0 '\n", "", "a1\n"),
    "variables": numbered("v{n}=x\n"),
    "variable that doubles": numbered("v{n}=$v$v\nv=$v$v\n", "v=aaaa\n"),
    "variable expanded": repeated("$v ", "v=" + "a" * 4000 + "\necho "),
    "files": numbered("echo {n} > f{n}.sh\n"),
    "file that grows": repeated("echo rm >> f\n", "", "sh f\n"),
    "pipes into shells": repeated("echo 'echo x' | sh\n"),
    "long pipe": repeated("cat|", "echo x|", "sh"),
    "sources of sources": repeated('echo "$(', "", ""),
    "loops in loops": nested("for i in a b; do ", "; done", "echo $i"),
    "loops beside loops": repeated("for i in 1 2 3 4 5 6 7 8; do rm $i; done\n"),
    "braces in braces": nested("{a,", "}", "b"),
    "nested substitutions": nested("$(", ")"),
    "nested parentheses": nested("(", ")"),
    "nested braces": nested("{ ", "; }"),
    "nested ifs": nested("if true; then ", "; fi"),
    "nested bash -c": nested("bash -c \\'", "\\'"),
    "nested json": nested('{"a":', "}", '"rm -rf /"'),
    "nested lists": nested("[", "]", '"rm -rf /"'),
    "json list of words": repeated('"rm","-rf","/x",', "[", '"x"]'),
    "json of objects": repeated('{"command":"ls -l","why":"to see"},', "[", "{}]"),
    "json string": repeated("rm -rf x and ", '{"text": "', '"}'),
    "nested sql": nested("(", ")", "select 1"),
    "sql statements": repeated("select * from t where a=1;\n"),
    "sql ors": repeated("a=1 or ", "delete from t where ", "1=1"),
    "sql values": repeated("(1,'a'),", "insert into t values ", "(1,'b');"),
    "sql unions": repeated("select 1 union ", "", "select 1"),
    "powershell statements": repeated("Get-ChildItem C:\\temp | Remove-Item -Recurse\n"),
    "powershell nested": nested("& { ", " }", "Get-Item x"),
    "cmd statements": repeated("del /q c:\\temp\\*.tmp & "),
    "cmd nested": nested("if 1==1 (", ")", "del /s /q c:\\"),
    "cmd for": nested("for %i in (a) do (", ")", "del %i"),
    "base64 twice": encoded,
    "base64 into a shell": repeated("echo cm0gLXJmIC8= | base64 -d | sh\n"),
    "percent in percent": repeated("%2525252572"),
    "words": repeated("lorem ipsum dolor sit amet "),
    "sentences": repeated("Look at who holds the lock before anything else. "),
    "sentences with commands": repeated("Run `df -h` and look; then run systemctl restart nginx. "),
    "sentences with heads": repeated("Then find the pod and delete it, kill the job, remove the lock and format it. "),
    "prohibitions": repeated("Never run rm -rf / on it. "),
    "explained": repeated("The command rm -rf / would delete everything. "),
    "orders": repeated("You must not run `ls -l | wc`, it is slow. "),
    "script": repeated("cd /srv && ls -la | grep x > /tmp/o\nif [ -f a ]; then echo b; fi\n"),
    "destructive": repeated("rm -rf /var/lib/x\n"),
    "unknown commands": repeated("$x a\n"),
    "unknown arguments": repeated("rm $x\n"),
    "wrapped": repeated("sudo -u root env A=b timeout 5 nice nohup rm x\n"),
    "find": repeated("find . -name x -exec rm {} + -o -delete \n"),
    "one command, many words": repeated("a ", "rm "),
    "one command, many options": repeated("-a ", "git "),
    "one command, many redirections": repeated(">a ", "rm "),
    "one command, many assignments": repeated("a=b ", "", "rm"),
    "one command, many variables": repeated("$a", "rm "),
    "one command, many substitutions": repeated("$(a) ", "rm "),
    "one command, many quotes": repeated("'a'\"b\"", "rm "),
    "one command, many braces": repeated("{a,b}", "rm "),
    "comments": repeated("# rm -rf /\n"),
    "table": repeated("| rm -rf x | deletes x |\n"),
    "list": repeated("- run rm -rf x\n"),
    "quotes of quotes": repeated("> > > rm x\n"),
}  # fmt: skip


def hostile() -> dict[str, Maker]:
    """Every kind of text by name."""
    return {repr(motif): repeated(motif) for motif in REPEATED} | MADE


PIECES = (
    *"abrm01 \n\t;|&<>()[]{}$'\"`\\^%~#*?!=,.:-_/@+",
    "rm", "rm ", "eval ", "sudo ", "sh ", "if ", "do\n", "fi", "$(", "${", "<<E", "&&", "||", ">>", "```", "\\\n",
    "{a,b}", "%25", "&amp;", "\\x41", "QUJD", "\u0301", "\u200b", "\uff52", "f(){", "a=b", "$a", "for i in ",
    "select ", "drop table ", "run ", "never ", "'a'", '"b"', '{"a":', "-exec ", "xargs ", "echo ", "|sh", "cmd /c ",
    "powershell ", "Remove-Item ", "@(", "/x", "the ", ". A", "\r", "kubectl ",
)  # fmt: skip


def random_motifs(count: int, seed: int) -> list[str]:
    """Short rows of what means something to some reader, drawn by chance."""
    chance = random.Random(seed)
    return ["".join(chance.choices(PIECES, k=chance.randint(1, 5))) for _ in range(count)]
