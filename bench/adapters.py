"""What swapping adapters costs: `python bench/adapters.py --home HOME ADAPTER ADAPTER [--merged URL --merged-key KEY]`.

Two loaded adapters are promoted in turn on a running gateway while chats stream from the alias. Printed: how long after
a promote was asked for the next request was routed to it, when that request's first text came, and how many requests
failed. With `--merged`, the URL of a gateway that serves a merged checkpoint, tokens a second of both at eight chats.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from gateway.remote import Remote

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from listeners import Listeners, listen

GOALS = {"routed_ms": 100.0, "first_token_ms": 1000.0, "failed": 0}
PROMPT = "Name one thing that eats disk space."


def swap(gateway: Remote, key: str, alias: str, adapter: str) -> dict[str, float]:
    """Promote, and ask at once: milliseconds until the promote was known, and until the first text of a new request."""
    asked = time.monotonic()
    gateway.post(f"/admin/aliases/{alias}/promote", {"adapter": adapter})
    known = time.monotonic()
    heard = listen(gateway.url, key, alias, PROMPT, 16)
    return {
        "routed_ms": (known - asked) * 1000,
        "first_token_ms": (heard.first - heard.began) * 1000,
        "right": float(heard.status == 200 and heard.adapter == adapter),
    }


def swaps(gateway: Remote, key: str, alias: str, adapters: list[str], *, count: int, chats: int) -> dict[str, Any]:
    """`count` promotes under `chats` streams."""
    gateway.post(f"/admin/aliases/{alias}/promote", {"adapter": adapters[-1]})
    with Listeners(gateway.url, key, alias, count=chats) as listeners:
        time.sleep(1)
        took = [swap(gateway, key, alias, adapters[number % len(adapters)]) for number in range(count)]
    failed = [one for one in listeners.heard if one.status != 200 or one.adapter not in adapters]
    figures: dict[str, Any] = {
        "promotes": count,
        "chats": chats,
        "requests": len(listeners.heard) + count,
        "failed": len(failed) + sum(not one["right"] for one in took),
    }
    for name in ("routed_ms", "first_token_ms"):
        values = sorted(one[name] for one in took)
        figures[name] = {"median": statistics.median(values), "p95": values[int(len(values) * 0.95)], "max": values[-1]}
    return figures


def speed(url: str, key: str, model: str, chats: int = 8, tokens: int = 96) -> float:
    """Completion tokens a second of `chats` answers at once, all of full length."""
    body = {
        "model": model,
        "messages": [{"role": "user", "content": PROMPT}],
        "max_tokens": tokens,
        "min_tokens": tokens,
        "ignore_eos": True,
    }

    def one(_: int) -> int:
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        request = urllib.request.Request(f"{url}/v1/chat/completions", json.dumps(body).encode(), headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=600) as answer:  # noqa: S310 - the gateway's own URL
            return int(json.loads(answer.read())["usage"]["completion_tokens"])

    with ThreadPoolExecutor(chats) as threads:
        began = time.monotonic()
        return sum(threads.map(one, range(chats))) / (time.monotonic() - began)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("adapters", nargs=2, help="two loaded adapters, name@version")
    asked.add_argument("--home", type=Path, required=True, help="of the running gateway")
    asked.add_argument("--alias", default="default")
    asked.add_argument("--promotes", type=int, default=50)
    asked.add_argument("--chats", type=int, default=4)
    asked.add_argument("--speed", action="store_true", help="tokens a second of base and adapter at eight chats")
    asked.add_argument("--base", default="SmolLM2-135M-Instruct", help="the base model's name")
    asked.add_argument("--merged", help="URL of a gateway that serves a merged checkpoint")
    asked.add_argument("--merged-key", default="")
    given = asked.parse_args()
    gateway = Remote.find(given.home)
    key = (given.home / "key").read_text(encoding="ascii").strip()
    figures = swaps(gateway, key, given.alias, given.adapters, count=given.promotes, chats=given.chats)
    for name in ("routed_ms", "first_token_ms"):
        shown = ", ".join(f"{part} {value:.1f}" for part, value in figures[name].items())
        print(f"{name}: {shown} (goal {GOALS[name]:.0f})")
    print(f"failed: {figures['failed']} of {figures['requests']} requests over {figures['promotes']} promotes (goal 0)")
    if given.speed or given.merged:
        names = (given.base, given.adapters[0])
        figures["tokens_per_second"] = {name: speed(gateway.url, key, name) for name in names}
    if given.merged:
        figures["tokens_per_second"]["merged"] = speed(given.merged, given.merged_key, "default")
    if "tokens_per_second" in figures:
        print("tokens/s at 8 chats: " + ", ".join(f"{k} {v:.0f}" for k, v in figures["tokens_per_second"].items()))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
