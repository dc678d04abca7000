"""What can be set, from where, and what is said when it was set wrongly.

Every setting can come from the environment (`WARDGATE_…`), from a YAML or TOML file, or from a flag; later ones
win. Nothing here reads `os.environ`: the environment is handed in.
"""

from __future__ import annotations

import difflib
import json
import shlex
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PREFIX = "WARDGATE_"
# Flags are singular because they repeat; `store` is the flag the contract names.
SPELLINGS = {"store": "store_url", "upstream": "upstreams", "vllm_arg": "vllm_args"}
SECRET = frozenset({"keys", "store_url", "upstream_key"})


class SettingsError(ValueError):
    """A setting that cannot be used.

    Attributes:
        field: The setting, spelled as where it was set (`WARDGATE_PORT`, `port in FILE`, `--port`).
        value: What was given, as text; secrets are left out.
        mend: What to do about it.
    """

    def __init__(self, field: str, value: str, problem: str, mend: str) -> None:
        super().__init__(f"{field}: {value} {problem}. {mend}")
        self.field = field
        self.value = value
        self.mend = mend


class KeySettings(BaseModel):
    """One further API key. Only its digest is written down: `printf %s KEY | sha256sum`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: tuple[Literal["chat", "feedback", "admin", "metrics"], ...] = Field(min_length=1)
    project: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")] = "default"


class Settings(BaseModel):
    """Everything that can be set, with its default and what it does."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    home: Path = Field(
        Path("var"), description="Folder for everything the gateway keeps: key, spool, store, models, logs."
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address the gateway listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port the gateway listens on; 0 takes a free one.")
    store_url: str = Field(
        "", description="Database: `sqlite:///PATH` or `postgresql://…`; by default a SQLite file in the home."
    )
    policy: Path | None = Field(None, description="Policy file for the guard; without one the defaults hold.")
    upstreams: tuple[str, ...] = Field(
        (), description="URLs of vLLM servers already running; with one or more the gateway starts none itself."
    )
    upstream_key: SecretStr = Field(SecretStr(""), description="API key those vLLM servers ask for (`--api-key`).")
    upstream_logprobs_mode: Literal["", "raw_logits", "raw_logprobs", "processed_logits", "processed_logprobs"] = Field(
        "", description="What those vLLM servers were started with as `--logprobs-mode`; they do not tell."
    )
    model: str = Field(
        "SmolLM2-135M-Instruct",
        min_length=1,
        description="Model to serve: the embedded default's name, a hub id, or a folder with a checkpoint.",
    )
    base: bool = Field(default=False, description="Serve the base model alone: no adapter is loaded or answered from.")
    aligned: str = Field(
        "builtin",
        description="The adapter that a fresh home is given as `aligned@N` and serves as `default`: `builtin`, `none`, "
        "or a folder.",
    )
    vllm_args: tuple[str, ...] = Field((), description="Further arguments for the vLLM the gateway starts.")
    permit_key: str = Field(
        "",
        description="Ed25519 private key (PEM) that signs verdicts on commands: a file, or `home` for `permits.pem` in "
        "the home, made when it is not there.",
    )
    project: str = Field(
        "default", pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="Project that records of the home's key belong to."
    )
    keys: tuple[KeySettings, ...] = Field(
        (), description="Further API keys: name, SHA-256 digest of the key, scopes, project."
    )
    metrics_open: bool = Field(
        default=False, description="Answer `/metrics` without a key when the scraper connects from this machine itself."
    )
    drain_seconds: float = Field(
        30.0, ge=0, le=3600, description="How long requests in flight may take to end after SIGTERM."
    )
    engine_timeout: float = Field(
        600.0, gt=0, le=86400, description="Seconds without a byte from vLLM after which a request fails."
    )
    retention_days: int | None = Field(
        None,
        ge=1,
        le=36_500,
        description="Days after which records are erased from the store; without it they are kept.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="Form of the log; `auto` is text on a terminal and JSON elsewhere."
    )

    @model_validator(mode="before")
    @classmethod
    def _place_store(cls, given: Any) -> Any:
        if isinstance(given, dict) and not given.get("store_url"):
            home = Path(given.get("home") or "var").expanduser().absolute()
            return {**given, "store_url": f"sqlite:///{home / 'store.sqlite3'}"}
        return given

    @field_validator("home", "policy")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().absolute()

    @field_validator("upstreams")
    @classmethod
    def _roots(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        roots = tuple(url.rstrip("/").removesuffix("/v1") for url in urls)
        for url in roots:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
                message = f"{url!r} is not the URL of a server, like http://127.0.0.1:8100"
                raise ValueError(message)
        if len(set(roots)) != len(roots):
            message = "the same server stands there twice"
            raise ValueError(message)
        return roots

    @field_validator("store_url")
    @classmethod
    def _known_store(cls, url: str) -> str:
        if urlsplit(url).scheme.partition("+")[0] not in ("sqlite", "postgresql"):
            message = "only sqlite:///PATH and postgresql://USER@HOST/NAME are stores"
            raise ValueError(message)
        return url

    @field_validator("keys")
    @classmethod
    def _one_name_each(cls, keys: tuple[KeySettings, ...]) -> tuple[KeySettings, ...]:
        if len({key.name for key in keys}) != len(keys):
            message = "two keys have the same name"
            raise ValueError(message)
        return keys


def load_settings(
    environment: Mapping[str, str], file: Path | None = None, flags: Mapping[str, object] | None = None
) -> Settings:
    """Environment, then file, then flags; later ones win, and a flag that is None was not given.

    Raises:
        SettingsError: A value cannot be used, a key is unknown, or the file cannot be read.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    if isinstance(given.get("keys"), str):
        given["keys"] = _unpacked("keys", "--keys", str(given["keys"]))
    layers: tuple[tuple[Mapping[str, Any], Callable[[str], str]], ...] = (
        (_from_environment(environment), lambda name: f"{PREFIX}{name.upper()}"),
        (_from_file(file) if file else {}, lambda name: f"{name} in {file}"),
        (given, lambda name: f"--{name.replace('_', '-')}"),
    )
    for layer, spell in layers:
        for name, value in layer.items():
            field = _field(name, value, spell)
            if field != name and field in layer:
                raise SettingsError(spell(name), repr(value), f"is also set by {spell(field)}", "Set one of them")
            values[field], origins[field] = value, spell(name)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise _explained(error, values, origins) from error


def _field(name: str, value: object, spell: Callable[[str], str]) -> str:
    field = SPELLINGS.get(name, name)
    if field in Settings.model_fields:
        return field
    near = difflib.get_close_matches(name.replace("-", "_"), Settings.model_fields, n=1)
    mend = f"Did you mean {spell(near[0])}?" if near else f"Known are: {', '.join(Settings.model_fields)}"
    raise SettingsError(spell(name), repr(value), "sets nothing: there is no such setting", mend)


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """What `WARDGATE_…` says; an empty variable says nothing, as compose's `${NAME:-}` leaves it behind.

    A variable that is no setting is refused only where it looks like one misspelled: Kubernetes puts
    `WARDGATE_SERVICE_HOST` and more of the kind there for a service of that name.
    """
    values: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX) or not text:
            continue
        name = variable.removeprefix(PREFIX).lower()
        field = SPELLINGS.get(name, name)
        if field not in Settings.model_fields:
            if difflib.get_close_matches(name, Settings.model_fields, n=1, cutoff=0.8):
                values[name] = text
            continue
        values[name] = _unpacked(field, variable, text)
    return values


def _unpacked(field: str, variable: str, text: str) -> Any:
    if field == "upstreams":
        return tuple(text.replace(",", " ").split())
    if field == "vllm_args":
        try:
            return tuple(shlex.split(text))
        except ValueError as error:
            raise SettingsError(variable, repr(text), f"cannot be split: {error}", "Quote it as for a shell") from error
    if field == "keys":
        try:
            return json.loads(text)
        except ValueError as error:
            raise SettingsError(variable, "(not shown)", f"is not JSON: {error}", "Write a JSON array") from error
    if field == "port" and text.startswith("tcp://"):
        mend = "Kubernetes sets it for a service called wardgate: set enableServiceLinks: false, or rename the service"
        raise SettingsError(variable, repr(text), "is not a port", mend)
    return text


def _from_file(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".toml":
            content: object = tomllib.loads(text)
        elif file.suffix in (".yaml", ".yml"):
            content = yaml.safe_load(text)
        else:
            raise SettingsError("--config", str(file), "is neither YAML nor TOML", "Name it .yaml, .yml or .toml")
    except OSError as error:
        raise SettingsError("--config", str(file), f"cannot be read: {error.strerror}", "Check the path") from error
    except (tomllib.TOMLDecodeError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError("--config", str(file), f"cannot be parsed: {error}", "Mend the file") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingsError("--config", str(file), "is not a table of settings", "Write one `name: value` a line")
    return {str(name): value for name, value in content.items() if value is not None}


def _explained(error: ValidationError, values: Mapping[str, Any], origins: Mapping[str, str]) -> SettingsError:
    first = error.errors(include_url=False, include_context=False)[0]
    field = str(first["loc"][0])
    inner = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"][1:])
    shown = "(not shown)" if field in SECRET else repr(values.get(field))
    problem = first["msg"].removeprefix("Value error, ")
    mend = f"The setting's meaning: {Settings.model_fields[field].description}"
    return SettingsError(origins.get(field, field) + inner, shown, f"cannot be used: {problem}", mend)
