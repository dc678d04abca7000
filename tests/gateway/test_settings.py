"""Where settings come from, who wins, and what is said about a wrong one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping


def test_defaults_keep_everything_in_one_home() -> None:
    """Nothing set: loopback, one home, a SQLite store inside it."""
    settings = load_settings({})
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.home == Path("var").absolute()
    assert settings.store_url == f"sqlite:///{settings.home}/store.sqlite3"


def test_the_store_follows_the_home(tmp_path: Path) -> None:
    """A home set anywhere takes the default store along."""
    assert load_settings({"WARDGATE_HOME": str(tmp_path)}).store_url == f"sqlite:///{tmp_path}/store.sqlite3"
    assert Settings(home=tmp_path).store_url == f"sqlite:///{tmp_path}/store.sqlite3"


@pytest.mark.parametrize(
    ("name", "text"), [("a.yaml", "port: 8001\nhost: '::1'\n"), ("a.toml", 'port = 8001\nhost = "::1"\n')]
)
def test_later_ones_win(tmp_path: Path, name: str, text: str) -> None:
    """A flag beats the file, the file beats the environment."""
    file = tmp_path / name
    file.write_text(text)
    environment = {"WARDGATE_PORT": "8002", "WARDGATE_HOST": "0.0.0.0", "WARDGATE_PROJECT": "night"}
    settings = load_settings(environment, file, {"port": 8003, "host": None})
    assert (settings.port, settings.host, settings.project) == (8003, "::1", "night")


def test_lists_can_be_written_in_the_environment() -> None:
    """URLs part at commas and blanks, arguments as a shell would part them, keys are JSON."""
    settings = load_settings(
        {
            "WARDGATE_UPSTREAMS": "http://a:1/v1, http://b:2/",
            "WARDGATE_VLLM_ARGS": "--max-model-len 1024 --served 'two words'",
            "WARDGATE_KEYS": '[{"name": "scraper", "sha256": "' + "ab" * 32 + '", "scopes": ["metrics"]}]',
            "WARDGATE_METRICS_OPEN": "yes",
            "WARDGATE_POLICY": "",
        }
    )
    assert settings.upstreams == ("http://a:1", "http://b:2")
    assert settings.vllm_args == ("--max-model-len", "1024", "--served", "two words")
    assert settings.keys[0].scopes == ("metrics",)
    assert settings.metrics_open
    assert settings.policy is None


def test_keys_are_json_in_a_flag_too() -> None:
    key = '{"name": "scraper", "sha256": "' + "ab" * 32 + '", "scopes": ["metrics"]}'
    assert load_settings({}, None, {"keys": f"[{key}]"}).keys[0].name == "scraper"
    with pytest.raises(SettingsError, match=r"--keys.*is not JSON"):
        load_settings({}, None, {"keys": key[1:]})


def test_flags_may_be_singular() -> None:
    """The flags the contract names reach the fields they mean."""
    flags = {"upstream": ("http://a:1",), "vllm_arg": ("--x",), "store": "postgresql://u@h/n"}
    settings = load_settings({}, None, flags)
    assert (settings.upstreams, settings.vllm_args, settings.store_url) == (
        ("http://a:1",),
        ("--x",),
        "postgresql://u@h/n",
    )


def test_foreign_variables_are_left_alone() -> None:
    """What Kubernetes puts there for a service called wardgate is not a mistake."""
    assert load_settings({"WARDGATE_SERVICE_HOST": "10.0.0.1", "WARDGATE_PORT_8000_TCP_ADDR": "x", "OTHER": "y"})


@pytest.mark.parametrize(
    ("environment", "flags", "field", "value", "mend"),
    [
        ({"WARDGATE_PORT": "99999"}, {}, "WARDGATE_PORT", "99999", "65535"),
        ({"WARDGATE_PORT": "tcp://10.0.0.1:8000"}, {}, "WARDGATE_PORT", "tcp:", "enableServiceLinks"),
        ({"WARDGATE_UPSTREAMZ": "x"}, {}, "WARDGATE_UPSTREAMZ", "x", "WARDGATE_UPSTREAMS"),
        ({"WARDGATE_UPSTREAMS": "a:1"}, {}, "WARDGATE_UPSTREAMS", "a:1", "http://127.0.0.1:8100"),
        ({"WARDGATE_UPSTREAMS": "http://a http://a/v1"}, {}, "WARDGATE_UPSTREAMS", "http://a", "twice"),
        ({"WARDGATE_VLLM_ARGS": "'open"}, {}, "WARDGATE_VLLM_ARGS", "open", "Quote"),
        ({"WARDGATE_KEYS": "x"}, {}, "WARDGATE_KEYS", "not shown", "JSON array"),
        (
            {"WARDGATE_KEYS": '[{"name": "a", "sha256": "00", "scopes": ["chat"]}]'},
            {},
            "WARDGATE_KEYS[0].sha256",
            "not shown",
            "pattern",
        ),
        ({}, {"store_url": "mysql://a:secret@b"}, "--store-url", "not shown", "postgresql"),
        ({}, {"store": "sqlite:///a", "store_url": "sqlite:///b"}, "--store", "sqlite:///a", "--store-url"),
        ({}, {"colour": "red"}, "--colour", "red", "Known are"),
        ({}, {"log_level": "loud"}, "--log-level", "loud", "warning"),
    ],
)
def test_a_wrong_setting_is_named(
    environment: Mapping[str, str], flags: Mapping[str, object], field: str, value: str, mend: str
) -> None:
    """The error names where it was set, what was set and what to do; secrets are left out."""
    with pytest.raises(SettingsError) as caught:
        load_settings(environment, None, flags)
    assert caught.value.field == field
    assert value in caught.value.value
    assert mend in str(caught.value)
    assert "secret" not in str(caught.value)


def test_two_keys_of_one_name_are_refused() -> None:
    """A key's name is what logs and records know it by."""
    key = {"name": "a", "sha256": "0" * 64, "scopes": ["chat"]}
    with pytest.raises(SettingsError, match="same name"):
        load_settings({}, None, {"keys": (key, key)})


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.yaml", "prot: 1\n", "Did you mean port in"),
        ("a.yaml", "- port\n", "not a table"),
        ("a.yaml", "port: [\n", "cannot be parsed"),
        ("a.toml", "port 1\n", "cannot be parsed"),
        ("a.ini", "port=1\n", "neither YAML nor TOML"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    """A file that cannot be used is refused whole, with the reason."""
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(SettingsError, match=said) as caught:
        load_settings({}, file)
    assert name in str(caught.value)


def test_an_absent_file_is_named_and_an_empty_one_is_fine(tmp_path: Path) -> None:
    """A path that leads nowhere is an error; a file with nothing in it sets nothing."""
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings({}, tmp_path / "absent.yaml")
    empty = tmp_path / "empty.yaml"
    empty.write_text("# nothing yet\n")
    assert load_settings({}, empty).port == 8000


def test_every_setting_says_what_it_does() -> None:
    """The descriptions are what the documentation prints."""
    assert all(field.description for field in Settings.model_fields.values())
