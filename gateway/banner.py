"""What `wardgate serve` prints: where the gateway is, what it waits for, and what to paste."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def first_line(url: str, waiting_for: str | None) -> str:
    """Said as soon as the gateway listens."""
    if waiting_for is None:
        return f"Wardgate listens on {url}."
    return f"Wardgate listens on {url}, which will be ready soon: {waiting_for} ({url}/health/ready tells more)."


def new_key(key: str, file: Path) -> str:
    """Said once, when the key was made."""
    return f"API key: {key}\n(made just now, shown once, kept in {file})"


def ready(url: str, model: str, key_file: Path) -> str:
    """Said when the first request can be answered; both blocks work as they stand."""
    file = shlex.quote(str(key_file))
    return f"""\
Ready: {model} answers on {url} as model "default".

Try it with curl:

  curl {url}/v1/chat/completions \\
    -H "Authorization: Bearer $(cat {file})" \\
    -H "Content-Type: application/json" \\
    -d '{{"model": "default", "messages": [{{"role": "user", "content": "Say hello."}}], "max_tokens": 32}}'

or with Python (pip install openai):

  from pathlib import Path

  from openai import OpenAI

  client = OpenAI(base_url="{url}/v1", api_key=Path({str(key_file)!r}).read_text().strip())
  stream = client.chat.completions.create(
      model="default",
      messages=[{{"role": "user", "content": "Say hello."}}],
      max_tokens=64,
      stream=True,
  )
  for chunk in stream:
      if chunk.choices:
          print(chunk.choices[0].delta.content or "", end="", flush=True)
  print()
"""
