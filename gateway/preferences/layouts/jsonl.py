"""The contract's own layout: every field of a pair, one JSON object a line."""

from __future__ import annotations

from gateway.preferences.layouts.interface import Odd, oddity
from gateway.preferences.pairs import Pair, check_pair, parse_row, write_pairs


class Jsonl:
    """`{"prompt", "chosen", "rejected", "objective"?, "beta"?, "weight"?, "flip_rate"?, "origin"?, …}`."""

    name = "jsonl"

    def read(self, line: bytes, where: str) -> Pair | Odd:
        pair = parse_row(line, where)
        return oddity(pair) or check_pair(pair, where)

    def write(self, pair: Pair) -> bytes | Odd:
        return write_pairs((pair,)).rstrip(b"\n")
