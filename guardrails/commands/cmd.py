"""cmd.exe's language read into the one command tree: variables, loops, labels and what the shell itself does."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from guardrails.commands import batch, percent
from guardrails.commands.batch import INTERNAL, Block, For, If, Node, Pipe, Simple
from guardrails.commands.tree import UNKNOWN, Code, Command, Redirect, Script, Word
from guardrails.commands.unfold import Unfolder
from guardrails.interface import Shell

if TYPE_CHECKING:
    from guardrails.commands.frame import Frame
    from guardrails.commands.tree import Span

_Commands = tuple[Command, ...]
_SUFFIX = re.compile(r"\.(?:exe|com|cmd|bat)$", re.IGNORECASE)
_SWITCHES = re.compile(r"(?:/[A-Za-z?](?::[^\s/]+)?){2,}")
_CARET = re.compile(r"\^(\r?\n|.)", re.DOTALL)
_CARETS = re.compile(r'\^(\r?\n|.|\Z)|"[^"]*"?', re.DOTALL)
_OPERATOR = re.compile(r"[&|<>()\n]")
_HEAD = re.compile(r'(?:"[^"]*"?|\^.|[^,;="^]|\^)*', re.DOTALL)
_GLUED = re.compile(r"@?([a-z]+)([./\\(\[\]+:,;=].*)", re.IGNORECASE | re.DOTALL)
_GOTO = re.compile(r"goto[ \t]*:?([^\s&|()]+)", re.IGNORECASE)
_SET = re.compile(r"\s*\"?\s*([^=\"]+?)=(.*)", re.DOTALL)
_ESCAPED = frozenset(
    {"powershell", "pwsh", "wmic", "wsl", "bash", "schtasks", "reg", "python", "python3", "ssh", "mshta"}
)
_RUN = re.compile(r"(?:^|\s)(/[ckr])\s*", re.IGNORECASE)
_BLANK = re.compile(r"[\s,;=]+")
_PARTS = re.compile(r"(?P<blank>[\s,;=]+)|(?P<quoted>\"[^\"]*\"?)|[^\s,;=\"]+")
# A quote behind a backslash is an argument's own, but for one that ends a path: there people mean the end.
_ARGUMENTS = re.compile(r'(?P<blank>\s+)|(?P<quoted>"(?:\\"(?=\S)|""|\\|[^"\\])*"?)|\\"|[^\s"\\]+|\\')
# Programs to which a quote behind a backslash, or a second quote, is one of the argument's own.
_ESCAPING = re.compile(r'(?P<blank>\s+)|(?P<quoted>"(?:\\"|""|[^"\\]|\\)*"?)|\\"|[^\s"\\]+|\\')
_TOKENS = re.compile(r"tokens=([\d,*-]+)")
_DELIMITERS = re.compile(r'delims=([^"\s][^"]*?)(?=\s+(?:tokens|usebackq|skip|eol)|"|$)')
_SWITCHING = INTERNAL | {"format", "attrib", "xcopy"}
_MOST_COUNTED = 4
_MOST_VALUES = 64
_DEEPEST = 30


def read(text: str, frame: Frame) -> Script:
    """Reads a batch script or a command line.

    Raises:
        BudgetExceeded: when the work budget is spent.
    """
    frame.budget.spend(1 + len(text) // 64)
    walk = _Walk(text, frame)
    walk.block(batch.parse(text), ())
    return Script(tuple(walk.unfold.found), complete=True)


class _Walk:
    """One walk over the commands of one text."""

    def __init__(self, text: str, frame: Frame) -> None:
        self.unfold = Unfolder(frame)
        self._text = text
        self._frame = frame
        self._scope = frame.scope
        self._span: Span | None = frame.span
        self._depth = 0
        self._aims: frozenset[str] | None = None

    def block(self, node: Block, stdin: _Commands) -> _Commands:
        """Runs commands in turn, but for those that only a call reaches."""
        out: _Commands = ()
        dead = False
        for at, part in enumerate(node.parts):
            if isinstance(part, Simple) and part.words and part.words[0].startswith(":"):
                dead = dead and not self._aimed(part.words[0])
                continue
            if not dead:
                out += self._run(part, stdin)
            dead = dead or (isinstance(part, Simple) and _leaves(part) and at + 1 < len(node.parts))
        return out

    def _aimed(self, label: str) -> bool:
        """Whether a `goto` leads to a label."""
        if self._aims is None:
            self._aims = frozenset(found.lower() for found in _GOTO.findall(self._text))
        return label.strip(":").lower() in self._aims

    def _run(self, node: Node, stdin: _Commands) -> _Commands:
        if isinstance(node, Simple):
            return self._simple(node, stdin)
        if isinstance(node, Pipe):
            for part in node.parts:
                stdin = self._run(part, stdin)
            return stdin
        if isinstance(node, Block):
            out = self.block(node, stdin)
            if node.redirects:
                span = self._where((0, 0)) if self._span is not None else _around(out)
                self.unfold.emit(Command((), self._redirects(node.redirects, span), span, Shell.CMD, stdin=out))
            return out
        if isinstance(node, For):
            return self._for(node, stdin)
        return self._if(node, stdin)

    def _if(self, node: If, stdin: _Commands) -> _Commands:
        self._scope.branches += 1
        out = self._run(node.then, stdin)
        if node.otherwise is not None:
            out += self._run(node.otherwise, stdin)
        self._scope.branches -= 1
        return out

    def _simple(self, node: Simple, stdin: _Commands) -> _Commands:
        where = self._where(node.span)
        if not node.words:
            if node.redirects:
                self.unfold.emit(Command((), self._redirects(node.redirects, where), where, Shell.CMD))
            return ()
        text = percent.expanded(node.text, self._scope)
        if text != node.text:
            self.unfold.spend(len(text) // 64)
            return self._again(text, node, where, stdin)
        return self._command(node, where, stdin)

    def _again(self, text: str, node: Simple, where: Span, stdin: _Commands) -> _Commands:
        """A command whose variables hold more than words: what they hold is read as it stands there."""
        parts = batch.parse(text).parts if _OPERATOR.search(text) else []
        if len(parts) == 1 and isinstance(parts[0], Simple):
            parts = []
        if not parts:
            whole = batch.parse(text).parts
            words = whole[0].words if whole and isinstance(whole[0], Simple) else text.split()
            return self._command(replace(node, text=text, words=words), where, stdin) if words else ()
        outer, self._span = self._span, where
        self._depth += 1
        out = self.block(Block(parts, node.redirects), stdin) if self._depth < _DEEPEST else ()
        self._depth -= 1
        self._span = outer
        return out

    def _command(self, node: Simple, where: Span, stdin: _Commands) -> _Commands:
        written = _HEAD.match(node.words[0])[0]  # type: ignore[index] # matches the empty string
        first = percent.delayed(_plain(written), self._scope).lstrip("@")
        rest = node.text[node.text.find(written) + len(written) :]
        glued = None if _SUFFIX.search(first) else _GLUED.fullmatch(first)
        if glued and glued[1].lower() in INTERNAL | {"cmd"} and not glued[2].startswith((":", "\\\\")):
            first, rest = glued[1], glued[2].removeprefix(".") + rest
        elif " " in first and '"' not in written:  # an unquoted variable that holds several words
            first, _, more = first.partition(" ")
            rest = f" {more}{rest}"
        name = _SUFFIX.sub("", first.replace('"', "").replace("/", "\\").rpartition("\\")[2]).lower()
        redirects = self._redirects(node.redirects, where)
        if name == "set" or (name == "call" and rest.split()[:1] == ["set"]):
            self._set(rest.strip().removeprefix("set") if name == "call" else rest, name)
        elif name == "setlocal" and "delayed" in rest.lower():
            self._scope.variables["%%delayed"] = "on"
        elif name == "call" and rest.strip().startswith(":"):
            return self._call(rest, where, stdin)
        words = [Word(None if UNKNOWN in name else name, where, name)]
        if not name:
            return ()
        if name == "call":
            rest = percent.expanded(rest, self._scope)
        words += [self._word(one, where) for one in _split(percent.delayed(rest, self._scope), name)]
        made = Command(tuple(words), redirects, where, Shell.CMD, self.unfold.wrappers, stdin)
        return self.unfold.emit(made)

    @staticmethod
    def _word(text: str, where: Span) -> Word:
        return Word(None if UNKNOWN in text else text, where, text)

    def _set(self, rest: str, through: str) -> None:
        """`set NAME=VALUE`, `set "NAME=VALUE"`, `set /a`, `set /p`."""
        text = rest.lstrip()
        computed = text[:2].lower() in ("/a", "/p")
        found = _SET.match(text[2:] if computed else text)
        if found is None:
            return
        name, value = found[1].strip().lower(), found[2]
        if text.startswith('"'):
            value = value.rpartition('"')[0] if '"' in value else value
        value = _CARET.sub(r"\1", value)
        if through == "call":
            value = percent.expanded(value, self._scope)
        if computed:
            value = value.strip(' "') if value.strip(' "').isdigit() and text[:2].lower() == "/a" else UNKNOWN
        self._scope.assign(f"%{name}", None if value == UNKNOWN else value)

    def _call(self, rest: str, where: Span, stdin: _Commands) -> _Commands:
        """`call :label arguments`: the lines from the label to the end of the routine."""
        given = [_unquoted(one) for one in _split(rest, "call")]
        label = given[0].strip(":").lower()
        found = re.search(rf"^[ \t]*:{re.escape(label)}\b.*$", self._text, re.IGNORECASE | re.MULTILINE)
        if found is None or f"call :{label}" in self.unfold.wrappers:
            return ()
        self.unfold.spend((len(self._text) - found.end()) // 64)
        body = self._text[found.end() :]
        end = re.search(r"^[ \t]*@?(?:exit\s+/b|goto\s+:?eof)\b", body, re.IGNORECASE | re.MULTILINE)
        arguments = tuple(None if UNKNOWN in one else one for one in given[1:])
        command = Command((), (), where, Shell.CMD, self.unfold.wrappers, stdin)
        code = Code(body[: end.start()] if end else body, f"call :{label}", positional=arguments, shell=Shell.CMD)
        return self.unfold.run(code, command)

    def _for(self, node: For, stdin: _Commands) -> _Commands:
        items = percent.expanded(node.items, self._scope)
        kind = node.options[0].lower() if node.options else ""
        where = self._where(node.span)
        rounds: list[dict[str, str | None]]
        if kind == "/f":
            rounds, stdin = self._listed(items.strip(), node, where, stdin)
        else:
            root = node.options[1].strip('"') if kind == "/r" and len(node.options) > 1 else ""
            listed = _counted(items) if kind == "/l" else [f"{root}\\{one}" if root else one for one in _items(items)]
            rounds = [{node.name: one} for one in listed]
        outer, self._span = self._span, where
        out: _Commands = ()
        self._depth += 1
        for values in rounds[:_MOST_VALUES] if self._depth < _DEEPEST else []:
            self._frame.budget.spend()
            out += self.block(batch.parse(percent.looped(node.body, values)), stdin)
        self._depth -= 1
        self._span = outer
        return out

    def _listed(
        self, items: str, node: For, where: Span, stdin: _Commands
    ) -> tuple[list[dict[str, str | None]], _Commands]:
        """The values of `for /f`: of a command's output, a string, or a file's lines."""
        quoted, options = items[:1], " ".join(node.options).lower()
        backquoted = "usebackq" in options
        if quoted == ("`" if backquoted else "'"):
            command = Command((), (), where, Shell.CMD, self.unfold.wrappers, stdin)
            made = self.unfold.run(Code(items.strip("'`"), "for", shell=Shell.CMD), command)
            return [_tokens(node.name, options, _printed(made))], (*stdin, *made)
        line = items.strip("\"'") if quoted == ("'" if backquoted else '"') else None
        return [_tokens(node.name, options, line)], stdin

    def _redirects(self, given: list[batch.Redirection], where: Span) -> tuple[Redirect, ...]:
        found = []
        for one in given:
            target = _unquoted(percent.expanded(one.target, self._scope))
            found.append(Redirect(one.operator, self._word(target, where)))
        return tuple(found)

    def _where(self, span: Span) -> Span:
        return self._span if self._span is not None else span


def _around(commands: _Commands) -> Span:
    return (min(c.span[0] for c in commands), max(c.span[1] for c in commands)) if commands else (0, 0)


def _leaves(node: Simple) -> bool:
    """Whether what stands behind a command is not reached from it."""
    name = node.words[0].lower().lstrip("@") if node.words else ""
    return name == "goto" or (name == "exit" and len(node.words) < 4)


def _printed(commands: _Commands) -> str | None:
    """What `echo` at the end of a command line prints."""
    last = commands[-1] if commands else None
    if last is None or last.name != "echo" or any(w.text is None for w in last.argv):
        return None
    return " ".join(w.shape for w in last.argv[1:])


def _counted(items: str) -> list[str | None]:
    """The first values of `for /l`, and one for all the others."""
    numbers = [int(one) for one in items.replace(",", " ").split() if one.lstrip("-").isdigit() and len(one) < 10]
    if len(numbers) < 3 or not numbers[1]:
        return [None]
    first, step, last = numbers[:3]
    counted = range(first, last + (1 if step > 0 else -1), step)
    return [str(one) for one in counted[:_MOST_COUNTED]] + ([None] if len(counted) > _MOST_COUNTED else [])


def _tokens(name: str, options: str, line: str | None) -> dict[str, str | None]:
    """What the variables of `for /f` hold for one line."""
    wanted = _TOKENS.search(options)
    parts = wanted[1].rstrip("*").strip(",").split(",") if wanted else ["1"]
    rest = wanted is not None and wanted[1].endswith("*")
    marks = _DELIMITERS.search(options)
    pieces = (
        None
        if line is None
        else [p for p in re.split(f"[{re.escape(marks[1] if marks else ' ' + chr(9))}]+", line) if p]
    )
    if wanted is not None and wanted[1] == "*":
        return {name: line}
    numbers = [n for part in parts for n in _range(part)]
    found: dict[str, str | None] = {}
    for at, number in enumerate(numbers[:20]):
        found[chr(ord(name) + at)] = None if pieces is None else pieces[number - 1] if 0 < number <= len(pieces) else ""
    if rest and numbers:
        found[chr(ord(name) + len(found))] = None if pieces is None else " ".join(pieces[max(numbers) :])
    return found


def _range(part: str) -> list[int]:
    first, _, last = part.partition("-")
    if not first.isdigit():
        return []
    return list(range(int(first), int(last) + 1))[:20] if last.isdigit() else [int(first)]


def _items(text: str) -> list[str]:
    return list(re.findall(r'"[^"]*"|[^\s,;="]+', text))


def _plain(text: str) -> str:
    """A word without its carets; inside of quotes they stand for themselves."""
    if "^" not in text:
        return text
    return _CARETS.sub(lambda found: found[0] if found[1] is None else found[1].strip("\r\n"), text)


def _unquoted(text: str) -> str:
    return _plain(text).replace('"', "")


def _split(text: str, name: str) -> list[str]:
    """Arguments as the program of that name gets them: cmd.exe's own words part at `,;=`, a shell's code at nothing."""
    text = _plain(text)
    if name == "cmd":
        found = _RUN.search(text)
        if found is not None:
            code = text[found.end() :].strip()
            if len(code) > 1 and code[0] == code[-1] == '"':
                code = code[1:-1]
            return [*text[: found.start()].split(), found[1], *([code] if code else [])]
    if name == "echo":
        return text.split()
    made = _parted(text, _PARTS if name in INTERNAL else _ESCAPING if name in _ESCAPED else _ARGUMENTS)
    if name not in _SWITCHING:
        return made
    return [one for word in made for one in (re.findall(r"/[^/]+", word) if _SWITCHES.fullmatch(word) else [word])]


def _parted(text: str, pieces: re.Pattern[str]) -> list[str]:
    if '"' not in text:
        return [one for one in _BLANK.split(text) if one] if pieces is _PARTS else text.split()
    made: list[str] = []
    word: str | None = None
    for found in pieces.finditer(text):
        if found.lastgroup == "blank":
            if word is not None:
                made.append(word)
            word = None
        elif found.lastgroup == "quoted":
            inside = found[0][1:].removesuffix('"')
            if pieces is not _PARTS:
                inside = inside.replace('\\"', '"').replace('""', '"')
            word = (word or "") + inside
        else:
            word = (word or "") + ('"' if found[0] == '\\"' else found[0])
    return made if word is None else [*made, word]
