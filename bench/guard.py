"""What the guard costs: `make bench-guard` prints tables and writes JSON.

Three parts, all in CPU time of the thread, because machines are shared. Ordinary texts: quantiles over many commands,
prompts and streamed answers, made of the rows in ../shared/data where that stands beside the clone, else of a few of
our own. Growth: how the cost of each hostile text grows from size to size, for every kind and language. Random: motifs
drawn by chance, the worst of them shown.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hostile import hostile, random_motifs, repeated

from guardrails.guard import Guard
from guardrails.interface import Channel, Shell
from guardrails.parameters import ParameterType
from guardrails.policy import load_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
GOALS = {"command of 200 characters": 500.0, "prompt of 2,000 tokens": 1000.0, "stream, a delta": 8.0}
GROWTH, MOST_SECONDS = 2.3, 3.0
FLOOR = 20_000_000  # nanoseconds; below it a ratio is noise
SENTENCE = "Look at who holds the lock before anything else; a second load at the same hour is the usual reason. "
OWN = {
    "bash": [
        "sudo systemctl restart nginx && journalctl -u nginx -n 50 | tail -5",
        "find /srv -name '*.log' -mtime +7",
    ],
    "powershell": ["Get-ChildItem C:\\logs -Filter *.log | Where-Object { $_.Length -gt 1MB } | Remove-Item -WhatIf"],
    "cmd": ["for /f %i in ('dir /b') do @echo %i & set X=%X%;%i"],
    "sql": ["SELECT a, count(*) FROM t WHERE b > 5 GROUP BY a ORDER BY 2 DESC;", "UPDATE t SET a = 1 WHERE id = 7;"],
    "prose": [
        SENTENCE,
        "Use `df -h` to see it, then run `journalctl --vacuum-time=7d`; restart the loader afterwards.",
    ],
}
ROWS = {
    "bash": "commands_ordinary",
    "powershell": "commands_powershell",
    "cmd": "commands_cmd",
    "prose": "prose_benign",
}


def rows(kind: str) -> list[str]:
    """Texts of one kind."""
    file = DATA / f"{ROWS.get(kind, kind)}.jsonl"
    if not file.exists():
        return OWN[kind]
    return [json.loads(line)["text"] for line in file.read_text("utf-8").splitlines()]


def filled(texts: list[str], length: int, count: int, joints: tuple[str, ...]) -> list[str]:
    """`count` texts of exactly `length` characters: some joined, the last cut."""
    chance = random.Random(7)
    made = []
    for _ in range(count):
        text = chance.choice(texts)
        while len(text) < length:
            text += chance.choice(joints) + chance.choice(texts)
        made.append(text[:length])
    return made


def quantiles(took: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(took, n=1000)
    return {"mean_us": statistics.fmean(took), "p50_us": cuts[499], "p99_us": cuts[989], "most_us": max(took)}


def each(texts: list[str], judge: Callable[[str], object]) -> dict[str, float]:
    """Microseconds of CPU a text takes: each three times, the best counts; the first time apart."""
    for text in texts[:50]:
        judge(text)
    best, first = [], []
    for text in texts:
        took = []
        for _ in range(3):
            began = time.thread_time_ns()
            judge(text)
            took.append((time.thread_time_ns() - began) / 1000)
        best.append(min(took))
        first.append(took[0])
    return {**quantiles(best), "first_p99_us": quantiles(first)["p99_us"], "texts": len(texts)}


def streamed(guard: Guard, texts: list[str]) -> dict[str, float]:
    """Microseconds of CPU a delta of four or five characters takes, a mean a text."""
    took = []
    for text in texts:
        pieces = [text[at : at + 4 + at // 4 % 2] for at in range(0, len(text), 4)]
        means = []
        for _ in range(3):
            stream = guard.stream()
            began = time.thread_time_ns()
            for piece in pieces:
                stream.feed(piece)
            stream.finish()
            means.append((time.thread_time_ns() - began) / 1000 / len(pieces))
        if not stream.stopped:  # what comes after a stop costs nothing
            took.append(min(means))
    return {**quantiles(took), "texts": len(took)}


def ordinary(guard: Guard, count: int) -> dict[str, dict[str, float]]:
    """The cost of ordinary texts by name."""
    joints = ("; ", " && ", "\n", " | ")
    commands = {kind: filled(rows(kind), 200, count, joints) for kind in ("bash", "powershell", "cmd")}
    commands["sql"] = filled(OWN["sql"], 200, count // 4, ("\n", " "))
    if (DATA / "commands_destructive.jsonl").exists():
        commands["destructive"] = filled(rows("commands_destructive"), 200, count // 2, joints)
    prose = rows("prose")[:6000]
    mixed = prose + rows("bash")[: len(prose) // 8 + 1]
    fences = [f"\n\n```bash\n{command}\n```\n\n" for command in rows("bash")[:4000]]
    found = {}
    for kind, texts in commands.items():
        shell = Shell(kind) if kind in list(Shell) else Shell.BASH
        for one in dict.fromkeys((shell, Shell.AUTO)):
            name = f"command of 200 characters, {kind} read as {one}"
            found[name] = each(texts, lambda text, one=one: guard.examine(text, Channel.COMMAND, shell=one))
    prompts = filled(mixed, 8000, count // 8, (" ", "\n", "; "))
    found["prompt of 2,000 tokens"] = each(prompts, lambda text: guard.examine(text, Channel.PROMPT))
    long = filled(prose, 8000, count // 8, (" ", "\n"))
    found["prompt of 2,000 tokens, prose alone"] = each(long, lambda text: guard.examine(text, Channel.PROMPT))
    values = filled(prose, 60, count, (" ",))
    found["parameter of 60 characters"] = each(values, lambda text: guard.examine(text, Channel.PARAMETER))
    calm = [text for text in prose if not guard.examine(text, Channel.OUTPUT).action.stops]
    safe = [text for text in fences if not guard.examine(text, Channel.OUTPUT).action.stops]
    found["stream, a delta of prose"] = streamed(guard, filled(calm, 1500, count // 4, (" ", "\n")))
    answers = filled(calm * (len(safe) // len(calm) + 1) + safe, 1500, count // 4, ("\n", "\n\n"))
    found["stream, a delta of answers with fences"] = streamed(guard, answers)
    return found


def judges(guard: Guard, delta: int) -> dict[str, Callable[[str], object]]:
    """Every way a text may come in, by name."""
    made: dict[str, Callable[[str], object]] = {
        f"command {one}": lambda text, one=one: guard.examine(text, Channel.COMMAND, shell=one) for one in Shell
    }
    made |= {
        f"parameter {kind}": lambda text, kind=kind: guard.examine(text, Channel.PARAMETER, type=kind, values=("a",))
        for kind in ParameterType
    }
    made["prompt"] = lambda text: guard.examine(text, Channel.PROMPT)
    made["output"] = lambda text: guard.examine(text, Channel.OUTPUT)

    def stream(text: str) -> None:
        watch = guard.stream()
        for at in range(0, len(text), delta):
            watch.feed(text[at : at + delta])
        watch.finish()

    made["stream"] = stream
    return made


def growth(judge: Callable[[str], object], make: Callable[[int], str], sizes: list[int]) -> dict[str, Any]:
    """Nanoseconds of CPU at each size, the worst ratio of two neighbours, and what became of the largest."""
    took: list[int] = []
    for size in sizes:
        text = make(size)
        began = time.thread_time_ns()
        judge(text)
        spent = time.thread_time_ns() - began
        if took and spent > FLOOR and spent > 2 * took[-1]:  # noise, or growth: look again
            began = time.thread_time_ns()
            judge(text)
            spent = min(spent, time.thread_time_ns() - began)
        took.append(spent)
        if spent > 2 * MOST_SECONDS * 1e9:
            break
    pairs = [after / max(before, FLOOR / 4) for before, after in itertools.pairwise(took) if after > FLOOR]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"ns": took, "ratio": max(pairs, default=0.0), "seconds": max(took) / 1e9, "peak_kib": peak}


def searched(guard: Guard, options: argparse.Namespace, makers: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The growth of every text in every channel, worst first known at the end."""
    sizes = [options.least << step for step in range(20) if options.least << step <= options.most]
    for kind, judge in judges(guard, options.delta).items():
        if options.kinds and not any(kind.startswith(name) for name in options.kinds):
            continue
        for name, make in makers.items():
            row = {"kind": kind, "text": name, **growth(judge, make, sizes)}
            with (options.out / "growth.jsonl").open("a") as log:
                log.write(f"{json.dumps(row)}\n")
            yield row


def show_growth(found: list[dict[str, Any]], most: int) -> None:
    bad = [one for one in found if one["ratio"] > GROWTH or one["seconds"] > MOST_SECONDS]
    slow = sorted(found, key=lambda one: -one["seconds"])[:12]
    print(f"\n{len(found)} growths measured, {len(bad)} beyond a ratio of {GROWTH} or {MOST_SECONDS} s\n")
    print("| kind | text | worst ratio | seconds | ms at each size |\n|-|-|-|-|-|")
    for one in sorted(bad, key=lambda one: -one["seconds"])[:most] + [one for one in slow if one not in bad]:
        told = " ".join(f"{ns / 1e6:.0f}" for ns in one["ns"])
        print(f"| {one['kind']} | {one['text'][:60]} | {one['ratio']:.2f} | {one['seconds']:.2f} | {told} |")


def main() -> int:
    given = argparse.ArgumentParser(prog="make bench-guard ARGS=…", description=__doc__)
    given.add_argument("--count", type=int, default=2000, help="texts of each kind")
    given.add_argument("--only", choices=("ordinary", "growth", "random"), help="one part alone")
    given.add_argument("--kinds", nargs="*", default=[], help="channels to measure growth in, by how they begin")
    given.add_argument("--texts", nargs="*", default=[], help="hostile texts to measure, by a part of their name")
    given.add_argument("--least", type=int, default=1 << 15, help="smallest size in characters")
    given.add_argument("--most", type=int, default=1 << 20, help="largest size in characters")
    given.add_argument("--delta", type=int, default=64, help="characters of a streamed piece")
    given.add_argument("--motifs", type=int, default=200, help="random motifs to try")
    given.add_argument("--seed", type=int, default=1)
    given.add_argument("--show", type=int, default=40, help="rows of the table of bad ones")
    given.add_argument("--out", type=Path, default=ROOT / "var" / "bench", help="folder for the JSON")
    options = given.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "growth.jsonl").unlink(missing_ok=True)
    guard = Guard(load_policy(None))
    result: dict[str, Any] = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    if options.only in (None, "ordinary"):
        result["ordinary"] = ordinary(guard, options.count)
        print("| µs of CPU | mean | median | 99th percentile | first time, 99th | most |\n|-|-|-|-|-|-|")
        for name, row in result["ordinary"].items():
            cells = (row["mean_us"], row["p50_us"], row["p99_us"], row.get("first_p99_us", 0.0), row["most_us"])
            print(f"| {name} | {' | '.join(f'{cell:,.1f}' for cell in cells)} |")
    makers: dict[str, Any] = {}
    if options.only in (None, "growth"):
        makers |= hostile()
    if options.only in (None, "random"):
        makers |= {repr(motif): repeated(motif) for motif in random_motifs(options.motifs, options.seed)}
    if options.texts:
        makers = {name: make for name, make in makers.items() if any(part in name for part in options.texts)}
    if makers:
        found = list(searched(guard, options, makers))
        show_growth(found, options.show)
        result["growth"] = found
    (options.out / "guard.json").write_text(f"{json.dumps(result, indent=1)}\n")
    print(f"\nwritten: {options.out / 'guard.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
