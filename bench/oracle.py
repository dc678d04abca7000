"""Real bash beside our tree: `python bench/oracle.py FILE.jsonl ... [--rows N] [--known] [--json]`.

Each row's `text` is run twice in a throwaway root whose programs are recording stubs, once with stubs that succeed and
once with stubs that fail, and everything executed is looked for in what the tree says would run. Rows of another
`shell` than bash are left out. Of more than N rows those with the smallest hash of their id are taken. Without a file:
the obfuscations of `tests/oracle/obfuscations.txt`. Exit 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from oracle.comparison import compare
from oracle.obfuscations import obfuscations
from oracle.sandbox import NoSandbox, Sandbox
from oracle.tally import AGREEMENT, UNRESOLVABLE, Tally


def chosen(file: Path, rows: int | None) -> list[str]:
    """The texts of a file, those with the smallest hash first."""
    found: list[dict[str, Any]] = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
    found = [row for row in found if row.get("shell", "bash") == "bash"]
    found.sort(key=lambda row: hashlib.sha256(str(row.get("id", row["text"])).encode()).digest())
    return [row["text"] for row in found[:rows]]


def main() -> int:
    """Compares, prints, and says whether the bars hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help="JSON lines with `text`, and perhaps `id` and `shell`")
    parser.add_argument("--rows", type=int, help="so many rows of each file")
    parser.add_argument("--known", action="store_true", help="tell the tree the environment that bash has")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    sets = {str(file): chosen(file, given.rows) for file in given.files}
    sets = sets or {"obfuscations": [text for _, text in obfuscations()]}
    held, documents = True, {}
    try:
        with Sandbox() as sandbox:
            for name, texts in sets.items():
                tally = Tally()
                for text in texts:
                    tally.count(compare(text, sandbox, known=given.known))
                documents[name] = tally.document()
                held = held and documents[name]["agreeing"]["share"] >= AGREEMENT
                held = held and (not given.files or documents[name]["unresolvable"]["share"] <= UNRESOLVABLE)
                if not given.json:
                    print(name, *tally.lines(), sep="\n")
                    for row in tally.disagreements:
                        print(f"  disagrees: {row.text!r}", *(f"    executed: {call}" for call in row.missed), sep="\n")
    except NoSandbox as refused:
        print(f"no throwaway root can be had here: {refused}", file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps(documents, ensure_ascii=False, indent=2))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
