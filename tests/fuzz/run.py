"""Looks for texts that crash or hang a parser of the guard: `make fuzz`.

Half of each parser's time goes to hypothesis, which puts texts together from what means something to the parser and
makes what it finds small; half to atheris, which changes bytes by what code they reach, where its wheel is installed
(Linux). A hang is more than a second of CPU for one text. Whatever is found is printed and written to the folder; the
exit status is 1 then.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import time
import traceback
from importlib.util import find_spec
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from inputs import LONGEST, ROOT, dictionary, seeds, texts
from targets import MOST_SECONDS, TARGETS, attempt, decoded, warm

BATCH = 400


def told(name: str, text: str, error: BaseException, folder: Path) -> None:
    """Print what was found, and write it down."""
    data = text.encode("utf-8", "surrogatepass")
    file = folder / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}.txt"
    file.write_bytes(data)
    print(f"\n{name}: {type(error).__name__}: {error}\n  written: {file}\n  text: {text[:400]!r}", flush=True)
    traceback.print_exception(error, limit=-4)


def by_structure(name: str, seconds: float, folder: Path, begin: int) -> bool:
    """Hypothesis, batch after batch; whether something was found."""
    end, round_, last = time.monotonic() + seconds, begin, [("", b"")]

    def once() -> None:
        @seed(round_)
        @settings(
            max_examples=BATCH,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(texts(name), st.binary(max_size=6))
        def run(text: str, salt: bytes) -> None:
            if time.monotonic() < end + MOST_SECONDS:
                try:
                    attempt(name, text, salt)
                except Exception:
                    last[0] = (text, salt)
                    raise

        run()

    warm(name)
    tried = 0
    while time.monotonic() < end:
        try:
            once()
        except Exception as error:  # noqa: BLE001 - the boundary: whatever a target lets through is what is looked for
            told(name, last[0][0], error, folder)
            return True
        round_ += 1
        tried += BATCH
    print(f"{name}: nothing in {tried} texts put together", flush=True)
    return False


def by_coverage(name: str, seconds: float, folder: Path) -> bool:
    """Atheris, in a process of its own, for it never returns; whether something was found."""
    found, corpus = folder / f"{name}-atheris", folder / f"{name}-corpus"
    found.mkdir(exist_ok=True)
    corpus.mkdir(exist_ok=True)
    for number, text in enumerate(seeds(name)):
        (corpus / f"seed-{number}").write_bytes(b"\x03\x01" + text.encode("utf-8", "surrogatepass"))
    words = folder / "dictionary.txt"
    quoted = ("".join(f"\\x{byte:02x}" for byte in word.encode("utf-8", "surrogatepass")) for word in dictionary())
    words.write_text("".join(f'"{word}"\n' for word in quoted if word))
    limits = [
        f"-max_total_time={max(1, int(seconds))}",
        f"-max_len={LONGEST}",
        f"-artifact_prefix={found}/",
        f"-dict={words}",
    ]
    # The clock on the wall is the last resort: a machine may be busy.
    inside = Path(__file__).with_name("by_coverage.py")
    command = [sys.executable, inside, name, "-timeout=30", "-rss_limit_mb=6144", "-verbosity=0", *limits]
    done = subprocess.run([*command, str(corpus)], capture_output=True, text=True, check=False)
    files = sorted(found.iterdir())
    if done.returncode and not files:
        print(f"{name}: atheris ended with {done.returncode}:\n{done.stderr[-2000:]}")
        return True
    for file in files:
        text = decoded(file.read_bytes())[0]
        print(f"\n{name}: atheris: {file}\n  text: {text[:400]!r}\n{done.stderr[-2000:]}")
    if not files:
        print(f"{name}: nothing by coverage", flush=True)
    return bool(files)


def main() -> int:
    given_ = argparse.ArgumentParser(prog="make fuzz ARGS=…", description=__doc__)
    given_.add_argument("--minutes", type=float, default=10.0, help="for each parser")
    given_.add_argument("--parser", nargs="*", choices=sorted(TARGETS), default=list(TARGETS), help="parsers to try")
    given_.add_argument("--seed", type=int, default=int(time.time()), help="of the first batch put together")
    given_.add_argument("--out", type=Path, default=ROOT / "var" / "fuzz", help="folder for what is found")
    options = given_.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    coverage = find_spec("atheris") is not None
    if not coverage:
        print("atheris is not installed here (its wheels are Linux'): hypothesis has all the time", flush=True)
    found = 0
    for name in options.parser:
        seconds = options.minutes * 60 / (2 if coverage else 1)
        found += by_structure(name, seconds, options.out, options.seed)
        found += coverage and by_coverage(name, seconds, options.out)
    print(f"{found} of {len(options.parser)} parsers gave a crash or a hang" if found else "no crash, no hang")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
