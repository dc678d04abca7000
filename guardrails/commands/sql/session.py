"""One session with a database: what its statements do, one after another, and what they leave for later ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.commands.sql.clients import told
from guardrails.commands.sql.dialects import implicit_commits
from guardrails.commands.sql.phrases import assignments, calls, listed, name_at, words
from guardrails.commands.sql.plain import plain
from guardrails.commands.sql.routines import Routines
from guardrails.commands.sql.segments import segments
from guardrails.commands.sql.transactions import Transactions
from guardrails.commands.sql.vocabulary import CHANGES, CONTROLS, DEFINED, QUERIES, RUNNERS, STATEMENT, VERBS
from guardrails.commands.tree import UNKNOWN, Code, Command, Word
from guardrails.commands.unfold import Unfolder
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from guardrails.commands.frame import Frame
    from guardrails.commands.sql.dialects import Dialect
    from guardrails.commands.sql.statements import Statement
    from guardrails.commands.sql.tokens import Token
    from guardrails.commands.tree import Span

_SHELLS = {"xp_cmdshell": Shell.CMD, "sys_exec": Shell.BASH, "sys_eval": Shell.BASH}


class Session:
    """What one text does, in one dialect."""

    def __init__(self, frame: Frame, dialect: Dialect, text: str) -> None:
        self._frame = frame
        self.dialect = dialect
        self.unfold = Unfolder(frame)
        self.budget = frame.budget
        self.values: dict[str, str] = {}
        self.complete = True
        self.inside = frame.wrappers[-1:] == ("do",) or "".join(frame.wrappers[-1:]).endswith("()")
        self._text = text
        self._span: Span = (0, 0)
        self._routines = Routines(self)
        commits = implicit_commits(dialect, text)
        self._transactions = Transactions(self.unfold.found, commits=commits, implicit=dialect.implicit)

    def found(self) -> list[Command]:
        """Everything that was done and not taken back."""
        made = {_object(one): at for at, one in enumerate(self.unfold.found) if one.name == "create"}
        # What is only dropped to be defined anew is not lost; a table's rows would be.
        return [
            one
            for at, one in enumerate(self.unfold.found)
            if one.name != "drop" or _object(one)[0] not in DEFINED or made.get(_object(one), -1) < at
        ]

    def take(self, statement: Statement) -> None:
        """Does one statement.

        Raises:
            BudgetExceeded: when the work budget is spent.
        """
        self._span = self._frame.span or statement.span
        if statement.client:
            told(self, statement)
        elif any(t.text[0] == ":" and t.text[1:] in self.values for t in statement.tokens if t.kind == "word"):
            self._substituted(statement)
        else:
            for part in segments(statement.tokens):
                self.budget.spend(len(part) // 32)
                self.do(part)

    def do(self, tokens: Sequence[Token]) -> None:
        """Does one statement that begins with its verb."""
        head = tokens[0].lower or tokens[0].text
        if self._transactions.take(tokens) or self._routines.take(tokens):
            return
        if head in ("explain", "describe", "desc", "profile"):
            self._explained(tokens)
        elif head in QUERIES and not (head == "update" and tokens[1:2] and tokens[1].lower == "statistics"):
            self._query(tokens)
        elif head in CONTROLS or self._assigns(tokens):
            self._assign(tokens)
            if head == "set":
                self.flat(tokens)
            elif head in ("return", "open", "for") and any(t.lower in CHANGES for t in tokens):
                verb = next((i for i, t in enumerate(tokens) if t.lower == "with" or t.lower in CHANGES), 0)
                self._query(tokens[verb:])
            else:
                self.calls(tokens)
        else:
            self._other(head, tokens)

    def _other(self, head: str, tokens: Sequence[Token]) -> None:
        if head in ("drop", "truncate"):
            if tokens[1:2] and tokens[1].text != "(":  # a function of the same name
                self._dropped(tokens)
            return
        self.flat(tokens)
        if head in ("call", "perform", "do", "let", "print"):
            self.calls(tokens)
        elif head == "alter" and any(t.lower in ("delete", "update") for t in tokens[3:5]):
            verb = next(i for i, t in enumerate(tokens) if t.lower in ("delete", "update"))
            self._altered_rows(tokens, verb)

    def _assigns(self, tokens: Sequence[Token]) -> bool:
        return any(t.text == ":=" for t in tokens[1:8]) and tokens[0].kind in ("word", "quoted")

    def emit(self, verb: str, rest: Iterable[str], span: Span | None = None) -> Command:
        """Lists a command of the tree."""
        where = self._frame.span or span or self._span
        argv = [Word(verb, where, verb)]
        argv += [Word(None if UNKNOWN in one else one, where, one) for one in rest]
        command = Command(tuple(argv), (), where, Shell.SQL, self._frame.wrappers)
        self.unfold.emit(command)
        self._transactions.did(command)
        return command

    def run(self, text: str, through: str, shell: Shell = Shell.SQL) -> None:
        """Runs code out of a string."""
        command = Command((), (), self._span, Shell.SQL, self._frame.wrappers)
        known = not text.lstrip().startswith(UNKNOWN)
        self.unfold.run(Code(text if known else None, through, shell=shell), command)

    def flat(self, tokens: Sequence[Token]) -> None:
        """A statement as its words, for it has no structure of its own."""
        head = tokens[0].lower or tokens[0].text
        if not tokens[0].lower:
            return
        self.emit(tokens[0].text, words(tokens[1:]))
        for at, token in enumerate(tokens[:-1]):
            if token.lower == "program" and tokens[at + 1].kind in ("string", "body"):
                self.run(tokens[at + 1].text, f"{head} program", Shell.BASH)

    def _dropped(self, tokens: Sequence[Token]) -> None:
        """One command for each thing that is dropped or emptied."""
        head, rest = tokens[0].lower, list(tokens[1:])
        kind: list[Token] = []
        while rest and rest[0].kind == "word" and len(kind) < 4 and not (kind and self._names(rest)):
            kind.append(rest.pop(0))
            if head == "truncate" and kind[-1].lower != "table":
                rest.insert(0, kind.pop())
                break
        while rest and rest[-1].lower in ("if", "exists"):
            rest.pop()
        if not rest or (kind and kind[-1].lower == "exists"):
            return  # nothing is named: another dialect's comment hides the name, and this one refuses the statement
        first, *more = listed(rest)
        shown = [] if head == "truncate" else kind
        for item in (first, *more[:64]):
            self.emit(tokens[0].text, words([*shown, *item]))

    @staticmethod
    def _names(rest: Sequence[Token]) -> bool:
        """Whether a name begins here, and not another word of the kind of thing: `materialized view`."""
        _, after = name_at(rest, 0)
        ends = after >= len(rest) or rest[after].kind == "mark" or rest[after].lower in ("cascade", "restrict", "on")
        return ends or rest[0].lower in ("if", "concurrently")

    def _explained(self, tokens: Sequence[Token]) -> None:
        """`EXPLAIN ANALYZE` runs what it explains."""
        rest, analyzes = list(tokens[1:]), False
        if rest and rest[0].text == "(":
            close = next((i for i, t in enumerate(rest) if t.text == ")"), len(rest) - 1)
            options = [t.lower for t in rest[1:close]]
            at = next((i for i, o in enumerate(options) if o in ("analyze", "analyse")), -1)
            analyzes = at >= 0 and options[at + 1 : at + 2] not in (["false"], ["off"], ["0"])
            rest = rest[close + 1 :]
        while rest and rest[0].lower in ("analyze", "analyse", "verbose", "extended", "all"):
            analyzes = analyzes or rest[0].lower.startswith("analy")
            rest = rest[1:]
        if rest and analyzes:
            self.do(rest)

    def _query(self, tokens: Sequence[Token]) -> None:
        if (known := plain(tokens)) is not None:
            self.emit(known.verb, (known.table, known.breadth))
        elif any(t.lower in CHANGES for t in tokens):
            from guardrails.commands.sql.rows import changes  # noqa: PLC0415 - sqlglot takes 70 ms to load

            for change in changes(tokens, self.dialect, self.budget):
                self.emit(change.verb, (change.table, change.breadth))
        self._assign(tokens)
        self.calls(tokens)
        head = tokens[0].lower
        for at, token in enumerate(tokens[:-1]):
            if token.lower in ("outfile", "dumpfile"):
                self.emit(token.lower, words(tokens[at + 1 : at + 2]))
        if head in ("insert", "replace") and any(t.text in ("cron", "pg_proc") for t in tokens[:6]):
            self.flat(tokens)

    def _altered_rows(self, tokens: Sequence[Token], verb: int) -> None:
        """ClickHouse's `ALTER TABLE t DELETE WHERE …`."""
        from guardrails.commands.sql.rows import changes  # noqa: PLC0415 - as above

        table = [t for t in tokens[2:verb] if t.lower not in ("on", "cluster", "if", "exists")]
        link = [] if tokens[verb].lower == "update" else [tokens[0]._replace(text="FROM", lower="from", joined=False)]
        settle = [tokens[0]._replace(text="SET", lower="set", joined=False)] if tokens[verb].lower == "update" else []
        made = [tokens[verb], *link, *table, *settle, *tokens[verb + 1 :]]
        for change in changes(made, self.dialect, self.budget):
            self.emit(change.verb, (change.table, change.breadth))

    def calls(self, tokens: Sequence[Token]) -> None:
        """Functions that are called, what they are handed to run, and what they were defined to do."""
        for call in calls(tokens):
            if call.name in VERBS:
                continue
            rows = [] if all(_constant(t) for t in call.arguments) else ["--from-rows"]
            self.emit(call.name, [*words(call.arguments), *rows])
            self.called(call.name, call.arguments)

    def called(self, name: str, arguments: Sequence[Token]) -> None:
        """What a routine runs in its turn."""
        shell = _SHELLS.get(name)
        for token in arguments:
            if token.kind not in ("string", "body"):
                continue
            if shell is not None:
                self.run(token.text, name, shell)
            elif name in RUNNERS and STATEMENT.match(token.text):
                self.run(token.text, name)
        self._routines.call(name)

    def fold(self, tokens: Sequence[Token]) -> str:
        """The text an expression makes."""
        if len(tokens) == 1 and tokens[0].kind in ("string", "body"):
            return tokens[0].text
        from guardrails.commands.sql.folding import fold  # noqa: PLC0415 - as above

        return fold(tokens, self.values, self.dialect, self.budget)

    def _assign(self, tokens: Sequence[Token]) -> None:
        """Remembers the strings that variables are given."""
        head = tokens[0].lower
        if head == "select" and not any(t.text[:1] == "@" or t.lower == "into" for t in tokens):
            return
        if head not in ("set", "declare", "select") and not self._assigns(tokens):
            return
        for name, value, adds in assignments(tokens):
            made = self.fold(value)
            if head == "declare" or not made.startswith(UNKNOWN) or name in self.values:
                self.values[name] = self.values.get(name, "") + made if adds else made

    def _substituted(self, statement: Statement) -> None:
        """A statement with psql's variables in it."""
        made = "".join(
            (" " if not t.joined else "")
            + (
                self.values[t.text[1:]]
                if t.text[1:] in self.values and t.text[0] == ":"
                else self._text[t.start : t.end]
            )
            for t in statement.tokens
        )
        self.run(made, "psql variable")


def _object(command: Command) -> tuple[str, str]:
    """Kind and name of what is created or dropped."""
    shapes = [w.shape.lower() for w in command.argv[1:3]]
    return (shapes[0], shapes[1]) if len(shapes) > 1 else ("", "")


def _constant(token: Token) -> bool:
    return token.kind in ("string", "number", "body") or token.text in (",", "-")
