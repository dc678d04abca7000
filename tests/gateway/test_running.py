"""What keeps a gateway from starting, and the pieces of its start; the process as a whole is in test_serve.py."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from gateway import running, serve
from gateway.adapters.registry import Registry
from gateway.guarding import check_crashed
from gateway.metrics import Metrics
from gateway.running import Refused, listen, open_all, read_names, run, url_of
from gateway.settings import Settings
from gateway.store.database import Store
from gateway.store.records import Adapter, AdapterState, By

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOBODY = ("http://127.0.0.1:1",)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own logging stays as it is."""
    monkeypatch.setattr(running, "configure", lambda *_: None)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        ({"policy": "/no/such/policy.yaml"}, 2, "/no/such/policy.yaml"),
        ({"model": "/no/such/model"}, 2, "leave --model out"),
        ({"vllm_args": ("--port=1",)}, 2, "is the gateway's to decide"),
        ({"host": "192.0.2.1", "upstreams": NOBODY}, 2, "Choose others with --host and --port"),
        ({"home": "/dev/null/var", "upstreams": NOBODY}, 2, "cannot be used as WARDGATE_HOME"),
        ({"store_url": "sqlite:////dev/null/store", "upstreams": NOBODY, "port": 0}, 2, "/dev/null/store"),
        ({"store_url": "postgresql://me:secret@127.0.0.1:1/none", "upstreams": NOBODY, "port": 0}, 1, "127.0.0.1"),
    ],
)
def test_a_gateway_that_cannot_start_says_why(tmp_path: Path, given: dict[str, Any], status: int, words: str) -> None:
    """Status 2 for what was asked wrongly, 1 for what is missing; never a secret, and nothing stays locked."""
    with pytest.raises(Refused, match=words) as caught:
        run(Settings(**{"home": tmp_path, **given}))
    assert caught.value.status == status
    assert "secret" not in str(caught.value)
    with open_all(Settings(home=tmp_path, upstreams=NOBODY, port=0)):
        pass


def test_a_taken_port_is_said(tmp_path: Path, taken: int) -> None:
    with pytest.raises(Refused, match=f"Port {taken} of 127.0.0.1 is taken") as caught:
        run(Settings(home=tmp_path, upstreams=NOBODY, port=taken))
    assert caught.value.status == 2


def test_an_empty_key_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("")
    with pytest.raises(Refused, match="Delete it"):
        run(Settings(home=tmp_path, upstreams=NOBODY, port=0))


def test_the_command_ends_with_the_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], taken: int
) -> None:
    monkeypatch.setenv("WARDGATE_HOME", str(tmp_path))
    for flags, words in (({"port": taken}, "is taken"), ({"port": -1}, "--port")):
        with pytest.raises(SystemExit) as caught:
            serve.serve(upstream=NOBODY, **flags)
        assert caught.value.code == 2
        assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "start"), [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:"), ("::1", "http://[::1]:")]
)
def test_the_url_is_one_that_this_machine_reaches(host: str, start: str) -> None:
    with listen(host, 0) as listener:
        assert url_of(host, listener) == f"{start}{listener.getsockname()[1]}"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    yield opened
    opened.close()


def put_ops(store: Store, alias: str) -> None:
    by = By("me")
    store.adapters.register(Adapter("ops", "1", "/ops", "d", "b", 16, 1, AdapterState.LOADED), by)
    store.aliases.promote(alias, "ops@1", by)


def named(store: Store, *, base_only: bool = False) -> Registry:
    registry = read_names(store, Metrics(), None, base_only=base_only)
    registry.set_base("tiny-llama")
    return registry


def test_the_alias_default_exists_from_the_first_start_and_stays_as_it_was_set(store: Store) -> None:
    assert named(store).resolve("default").engine_model == "tiny-llama"
    put_ops(store, "default")
    metrics = Metrics()
    assert read_names(store, metrics, None, base_only=False).resolve("default").engine_model == "ops@1"
    assert b'wardgate_adapter_info{adapter="ops@1",alias="default"} 1' in metrics.expose()


def test_the_base_alone_answers_under_every_alias(store: Store) -> None:
    put_ops(store, "aiops")
    registry = named(store, base_only=True)
    assert isinstance(registry, Registry)
    assert registry.resolve("aiops").adapter == "base"
    assert registry.wanted() == ()


def test_a_crashed_check_is_logged_without_what_it_judged(capsys: pytest.CaptureFixture[str]) -> None:
    """An exception's message may quote the text."""
    try:
        int("a secret from a body")
    except ValueError as error:
        check_crashed("commands", error)
    out = capsys.readouterr().out
    assert "ValueError" in out
    assert "secret from" not in out.replace('int("a secret from a body")', "")
