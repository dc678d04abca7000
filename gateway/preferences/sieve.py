"""What is kept of the candidates: each pair once, no contradiction, no user heard more than others.

It lies in a temporary SQLite file, so that as many pairs as there are may be held against each other in little memory.
The order of what comes out depends on the pairs alone, not on the order or the database they came from.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Self

import msgspec

from gateway.preferences.pairs import Pair
from gateway.preferences.rules.interface import Candidate, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

_RANK = {signal: rank for rank, signal in enumerate(Signal)}
_DIGITS = 4  # of a weight: more would pretend to know
_TABLES = """
    CREATE TABLE candidates (pair BLOB, reverse BLOB, rank INT, at INT, body BLOB);
    CREATE INDEX by_pair ON candidates (pair, rank, at, body);
    CREATE TABLE votes (prompt BLOB, at INT, id TEXT, votes INT);
    CREATE INDEX by_prompt ON votes (prompt, at, id);
    CREATE TABLE kept (at INT, pair BLOB, user TEXT, weight REAL, body BLOB);
"""
_BOTH_WAYS = "SELECT pair FROM candidates WHERE reverse IN (SELECT pair FROM candidates)"
# Of each user the heaviest pairs, of those the oldest; who is nobody in particular is not counted as one person.
_FAIR = """
    SELECT body FROM (
        SELECT *, row_number() OVER (PARTITION BY user ORDER BY weight DESC, at, pair) AS place FROM kept
    ) WHERE user = '' OR place <= ? ORDER BY at, pair
"""
_encode, _decode = msgspec.json.encode, msgspec.json.Decoder(Candidate).decode
_decode_pair = msgspec.json.Decoder(Pair).decode


class Sieve:
    """Takes candidates and votes one by one, then gives the pairs.

    Attributes:
        dropped: Candidates that became no pair of their own, by reason.
    """

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self._file = sqlite3.connect("", isolation_level=None)  # a file of its own, gone with the connection
        self._file.executescript(_TABLES)
        self._file.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, candidate: Candidate) -> None:
        prompt = [(turn.role, turn.content) for turn in candidate.prompt]
        pair, reverse = (
            hashlib.blake2b(_encode([prompt, *answers]), digest_size=16).digest()
            for answers in ((candidate.chosen, candidate.rejected), (candidate.rejected, candidate.chosen))
        )
        row = (pair, reverse, _RANK[candidate.signal], candidate.at_us, _encode(candidate))
        self._file.execute("INSERT INTO candidates VALUES (?, ?, ?, ?, ?)", row)

    def vote(self, prompt: bytes, at_us: int, id: str, votes: int) -> None:  # noqa: A002 - the records' word
        """Remembers that an exchange with this prompt was voted on."""
        self._file.execute("INSERT INTO votes VALUES (?, ?, ?, ?)", (prompt, at_us, id, votes))

    def groups(self, most: int) -> Iterator[list[str]]:
        """Ids of exchanges with one prompt that was voted up and down, oldest first, at most so many each way."""
        torn = (
            "SELECT prompt FROM votes GROUP BY prompt HAVING min(votes) < 0 AND max(votes) > 0 ORDER BY min(at), prompt"
        )
        for (prompt,) in self._file.execute(torn).fetchall():
            ids: list[tuple[int, str]] = []
            for sign in (1, -1):
                found = self._file.execute(
                    "SELECT at, id FROM votes WHERE prompt = ? AND votes * ? > 0 ORDER BY at, id LIMIT ?",
                    (prompt, sign, most),
                )
                ids += found.fetchall()
            yield [id_ for _, id_ in sorted(ids)]

    def pairs(self, per_user: int) -> Iterator[Pair]:
        """Every pair that is left, by when its worse answer was asked for; `dropped` is complete after the last."""
        self._file.execute("DELETE FROM kept")
        both = self._file.execute(f"SELECT count(*) FROM ({_BOTH_WAYS})").fetchone()[0]  # noqa: S608 - ours
        self.dropped["contradicted"] += both
        self._file.execute(f"DELETE FROM candidates WHERE pair IN ({_BOTH_WAYS})")  # noqa: S608 - ours
        rows = self._file.execute("SELECT pair, body FROM candidates ORDER BY pair, rank, at, body")
        for pair, same in groupby(rows, key=lambda row: row[0]):
            self._keep(pair, [_decode(body) for _, body in same])
        left = 0
        for (body,) in self._file.execute(_FAIR, (per_user,)):
            left += 1
            yield _decode_pair(body)
        self.dropped["more_than_one_users_share"] += (
            self._file.execute("SELECT count(*) FROM kept").fetchone()[0] - left
        )

    def _keep(self, pair: bytes, same: list[Candidate]) -> None:
        """Several signals that say the same are one pair: the strongest one's, with the origins and ids of all."""
        first = same[0]
        self.dropped["said_again"] += len(same) - 1
        merged = Pair(
            prompt=first.prompt,
            chosen=first.chosen,
            rejected=first.rejected,
            objective=first.objective,
            weight=round(max(one.weight for one in same), _DIGITS),
            origin="+".join(dict.fromkeys(one.signal.value for one in same)),
            inferences=tuple(dict.fromkeys(id_ for one in same for id_ in one.inferences)),
            feedback=tuple(dict.fromkeys(id_ for one in same for id_ in one.feedback)),
        )
        row = (min(one.at_us for one in same), pair, first.user, merged.weight, _encode(merged))
        self._file.execute("INSERT INTO kept VALUES (?, ?, ?, ?, ?)", row)
