"""Permits: only the very bytes that were signed, for the very command that was judged, while they hold."""

from __future__ import annotations

import json
import subprocess
from base64 import urlsafe_b64decode
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.interface import Shell
from guardrails.permits.interface import Permit, PermitError, PermitRefused, Reason, Wanted
from guardrails.permits.keys import SigningKey, VerifyingKey, encoded
from guardrails.permits.sign import sign
from guardrails.permits.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

KEY, PEM = SigningKey.made()
PUBLIC = VerifyingKey.parse(KEY.public_pem)
NOW = 1_790_000_000
COMMAND = "systemctl restart nginx && journalctl -u nginx -n 20"
PERMIT = Permit(
    id="chatcmpl-1.0",
    issued=NOW,
    expires=NOW + 300,
    command=COMMAND,
    policy="p" * 64,
    rules="r" * 64,
    parameters={"service": "nginx", "lines": "20"},
    inference="chatcmpl-1",
)
WANTED = Wanted(COMMAND, parameters={"service": "nginx", "lines": "20"})
TOKEN = sign(PERMIT, KEY)


def refusal(token: str, wanted: Wanted = WANTED, now: float = NOW, **more: Any) -> Reason | None:
    try:
        verify(token, wanted, [PUBLIC], now, **more)
    except PermitRefused as refused:
        return refused.reason if refused.message else None
    return None


def test_what_was_signed_is_what_the_checker_reads() -> None:
    """A valid permit tells everything it was made of."""
    assert verify(TOKEN, WANTED, [PUBLIC], NOW) == PERMIT


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (Wanted(f"{COMMAND} "), Reason.OTHER_COMMAND),
        (Wanted(f"{COMMAND}\n"), Reason.OTHER_COMMAND),
        (Wanted(COMMAND.replace(" && ", " &&\r\n")), Reason.OTHER_COMMAND),
        (Wanted(COMMAND.replace("e", "\u0435", 1)), Reason.OTHER_COMMAND),
        (Wanted(COMMAND.replace("nginx", "ngi\u200bnx", 1)), Reason.OTHER_COMMAND),
        (Wanted(""), Reason.OTHER_COMMAND),
        (Wanted(COMMAND, Shell.POWERSHELL), Reason.OTHER_SHELL),
        (Wanted(COMMAND, tool="run_shell"), Reason.OTHER_TOOL),
        (Wanted(COMMAND, parameters={}), Reason.OTHER_PARAMETERS),
        (Wanted(COMMAND, parameters={"service": "nginx", "lines": "2"}), Reason.OTHER_PARAMETERS),
        (Wanted(COMMAND, policy="q" * 64), Reason.OTHER_POLICY),
        (Wanted(COMMAND, rules="q" * 64), Reason.OTHER_RULES),
        (Wanted(COMMAND, policy="p" * 64, rules="r" * 64), None),
        (Wanted(COMMAND), None),
    ],
)
def test_a_permit_is_for_one_command_and_what_it_was_judged_under(wanted: Wanted, reason: Reason | None) -> None:
    """A blank, a line end, a homoglyph, another shell, tool, parameter or policy: not the same."""
    assert refusal(TOKEN, wanted) is reason


@pytest.mark.parametrize(
    ("now", "skew", "reason"),
    [
        (NOW - 5, 5, None),
        (NOW - 5.1, 5, Reason.NOT_YET),
        (NOW + 299.9, 0, None),
        (NOW + 300, 0, Reason.EXPIRED),
        (NOW + 304.9, 5, None),
        (NOW + 305, 5, Reason.EXPIRED),
    ],
)
def test_a_permit_holds_from_its_issue_to_its_expiry(now: float, skew: float, reason: Reason | None) -> None:
    """Both ends give way by the skew, and by no more."""
    assert refusal(TOKEN, now=now, skew=skew) is reason


def test_the_arguments_of_a_tool_call_are_for_that_tool_alone() -> None:
    """The same arguments do something else in another tool, and no shell runs them."""
    arguments = '{"service": "nginx"}'
    token = sign(replace(PERMIT, command=arguments, shell=None, tool="get_status"), KEY)
    assert refusal(token, Wanted(arguments, tool="get_status")) is None
    assert refusal(token, Wanted(arguments, tool="delete_service")) is Reason.OTHER_TOOL
    assert refusal(token, Wanted(arguments)) is Reason.OTHER_TOOL


def test_only_the_keys_that_were_given_count() -> None:
    """A checker that takes two keys in a rotation names those it has where a third one signed."""
    other, _ = SigningKey.made()
    assert verify(TOKEN, WANTED, [VerifyingKey.parse(other.public_pem), PUBLIC], NOW) == PERMIT
    assert refusal(sign(PERMIT, other)) is Reason.UNKNOWN_KEY


def test_a_key_that_is_named_must_have_signed() -> None:
    """A header is anybody's to write."""
    other, _ = SigningKey.made()
    body = TOKEN.split(".")[1]
    forged = f"{KEY.header}.{body}"
    assert refusal(f"{forged}.{other.sign(forged)}") is Reason.BAD_SIGNATURE


@pytest.mark.parametrize("alg", ["none", "HS256", "Ed25519"])
def test_an_algorithm_is_not_the_permit_s_to_choose(alg: str) -> None:
    """A header that is not ours to the byte names no key of ours."""
    header = encoded(f'{{"alg":"{alg}","typ":"wardgate-permit+jwt","kid":"{KEY.id}"}}'.encode())
    body = TOKEN.split(".")[1]
    assert refusal(f"{header}.{body}.{KEY.sign(f'{header}.{body}')}") is Reason.UNKNOWN_KEY


@pytest.mark.parametrize(
    "change",
    [
        {"command": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": 9.5},
        {"shell": "fish"},
        {"shell": "auto"},
        {"tool": "x"},
        {"jti": "a b"},
        {"parameters": []},
        {"parameters": {"a": 1}},
        {"command": "ls\0"},
    ],
)
def test_claims_that_no_gateway_writes_are_refused_though_signed(change: dict[str, Any]) -> None:
    """Whatever else a key signs, it is no permit by that."""
    claims = json.loads(urlsafe_b64decode(TOKEN.split(".")[1] + "==")) | change
    signed = f"{KEY.header}.{encoded(json.dumps(claims).encode())}"
    assert refusal(f"{signed}.{KEY.sign(signed)}") is Reason.MALFORMED


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", TOKEN[:-1], f"{TOKEN}.", f"{TOKEN}=", f" {TOKEN}", f"{TOKEN}\n"]
)
def test_what_is_no_permit_is_refused(token: str) -> None:
    """Nothing is trimmed, padded or guessed."""
    assert refusal(token) in (Reason.MALFORMED, Reason.BAD_SIGNATURE)


@given(st.integers(0, len(TOKEN) - 1), st.integers(0, 7))
@settings(max_examples=400)
def test_a_permit_with_one_bit_changed_is_refused(at: int, bit: int) -> None:
    """Every bit counts, those that base64 leaves unused at the end included."""
    changed = TOKEN[:at] + chr(ord(TOKEN[at]) ^ (1 << bit)) + TOKEN[at + 1 :]
    assert refusal(changed) is not None


@given(st.integers(0, len(COMMAND) - 1), st.integers(0, 7))
def test_a_command_with_one_bit_changed_is_refused(at: int, bit: int) -> None:
    """No two texts are the same command."""
    changed = COMMAND[:at] + chr(ord(COMMAND[at]) ^ (1 << bit)) + COMMAND[at + 1 :]
    assert refusal(TOKEN, Wanted(changed)) is Reason.OTHER_COMMAND


@given(st.sampled_from(sorted(PERMIT.parameters)), st.data())
def test_a_parameter_with_one_bit_changed_is_refused(name: str, data: st.DataObject) -> None:
    """Names count as values do."""
    value = PERMIT.parameters[name]
    at, bit = data.draw(st.integers(0, len(value) - 1)), data.draw(st.integers(0, 7))
    changed = value[:at] + chr(ord(value[at]) ^ (1 << bit)) + value[at + 1 :]
    other = {**PERMIT.parameters, name: changed}
    assert refusal(TOKEN, replace(WANTED, parameters=other)) is Reason.OTHER_PARAMETERS


@given(st.text(min_size=1), st.dictionaries(st.text(), st.text()))
def test_any_text_that_a_shell_can_be_handed_can_be_signed(command: str, parameters: dict[str, str]) -> None:
    """Quotes, line ends and every script of the world travel unharmed; the rest is refused at once."""
    permit = replace(PERMIT, command=command, parameters=parameters)
    try:
        token = sign(permit, KEY)
    except PermitError:
        assert not command.strip() or "\0" in command
        return
    assert verify(token, Wanted(command, parameters=parameters), [PUBLIC], NOW) == permit


@given(st.text())
def test_no_text_but_a_permit_is_one(token: str) -> None:
    """Whatever comes, the answer is a reason and never a crash."""
    assert refusal(token) is not None


def test_openssl_agrees_with_the_signature_and_the_key_s_name(tmp_path: Path) -> None:
    """Who has nothing of ours checks a permit with openssl and coreutils."""
    (tmp_path / "key.pem").write_bytes(PEM)
    signed, _, signature = TOKEN.rpartition(".")
    (tmp_path / "signature").write_bytes(urlsafe_b64decode(signature + "=="))
    script = """
        openssl pkey -in key.pem -pubout -out key.pub
        openssl pkey -pubin -in key.pub -outform DER | sha256sum | cut -c-16
        printf %s "$SIGNED" > signed
        openssl pkeyutl -verify -pubin -inkey key.pub -rawin -in signed -sigfile signature
        printf %s. "$SIGNED" > signed
        openssl pkeyutl -verify -pubin -inkey key.pub -rawin -in signed -sigfile signature || true
    """
    done = subprocess.run(
        ["bash", "-ec", script],
        cwd=tmp_path,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "SIGNED": signed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[:3] == [KEY.id, "Signature Verified Successfully", "Signature Verification Failure"]
