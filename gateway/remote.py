"""A running gateway as its commands reach it: found by what it left in its home, spoken to over HTTP.

Standard library only, so that a command answers at once.
"""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

PATIENCE = 300.0  # seconds for an answer; loading an adapter for the first time asks it some eighty questions


class NoGateway(Exception):
    """None runs here, or it cannot be reached; the message says what to do."""


class Refused(Exception):
    """The gateway said no; the message is its own.

    Attributes:
        status: Of its answer.
        code: The error's machine-readable reason, or empty.
    """

    def __init__(self, message: str, status: int, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def home_of(given: Path | None) -> Path:
    """The home a command means: the one given, `WARDGATE_HOME`, or `./var`."""
    return (given or Path(os.environ.get("WARDGATE_HOME") or "var")).expanduser().absolute()


class Remote:
    """One gateway.

    Args:
        url: Where it is.
        key: One of its keys.
    """

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self._key = key

    @classmethod
    def find(cls, home: Path, url: str | None = None, key: str | None = None) -> Remote:
        """The gateway at `url`, else the one that runs on `home`; the key given, else the home's.

        Raises:
            NoGateway: None runs there, or there is no key.
        """
        if url is None:
            url = _announced(home)
        if key is None:
            try:
                key = (home / "key").read_text(encoding="ascii").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise NoGateway(f"{home / 'key'} cannot be read: {error}. Give the key with --key.") from error
        return cls(url, key)

    def get(self, path: str) -> Any:
        """The JSON document at `path`; raises as `call`."""
        return self.call("GET", path)

    def post(self, path: str, document: Any) -> Any:
        """What the gateway answers to `document`; raises as `call`."""
        return self.call("POST", path, document)

    def call(self, method: str, path: str, document: Any = None) -> Any:
        """One request, and the JSON document it is answered with.

        Raises:
            NoGateway: Nobody answers.
            Refused: The answer is an error.
        """
        body = None if document is None else json.dumps(document).encode()
        headers = {"authorization": f"Bearer {self._key}", "content-type": "application/json"}
        target = self.url + urllib.parse.quote(path, safe="/?&=")
        if not target.startswith(("http://", "https://")):
            raise NoGateway(f"--url: {self.url!r} is no URL, like http://127.0.0.1:8000")
        request = urllib.request.Request(target, body, headers, method=method)  # noqa: S310 - the scheme is checked
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - likewise
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise _refused(error) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise NoGateway(f"the gateway at {self.url} cannot be reached: {reason}. Is it running?") from error


def _announced(home: Path) -> str:
    note = home / "serve.json"
    try:
        said = json.loads(note.read_bytes())
        url, pid = str(said["url"]), int(said["pid"])
        os.kill(pid, 0)
    except PermissionError:
        return url  # it lives, and is somebody else's
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoGateway(
            f"no gateway runs on {home}. Start one there with `wardgate serve`, set WARDGATE_HOME, or give --url and "
            "--key"
        ) from error
    return url


def _refused(error: urllib.error.HTTPError) -> Refused:
    try:
        told = json.loads(error.read())["error"]
        return Refused(str(told["message"]), error.code, str(told.get("code") or ""))
    except (OSError, ValueError, KeyError, TypeError):
        return Refused(f"the gateway answered with status {error.code}", error.code, "")
