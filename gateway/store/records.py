"""Frozen records that cross between the exchange, the spool, the store and the admin routes.

The hot path hands bytes over as they came (`request`, `answers[].logprobs`): nothing is decoded twice
before an answer leaves. Times are integers, microseconds since the epoch (`*_us`), durations are
integers, microseconds.
"""

from __future__ import annotations

import time
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

Item = TypeVar("Item")


class Outcome(StrEnum):
    """How an exchange ended; every one leaves a record."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    CLIENT_GONE = "client_gone"
    ENGINE_FAILED = "engine_failed"


class FeedbackKind(StrEnum):
    THUMBS = "thumbs"
    RATING = "rating"
    COMMENT = "comment"
    EDIT = "edit"
    COMPARISON = "comparison"
    FALSE_BLOCK = "false_block"
    REGENERATED = "regenerated"
    COPIED = "copied"
    ACCEPTED = "accepted"
    ABANDONED = "abandoned"
    FRUSTRATED = "frustrated"
    EXECUTED = "executed"
    ROLLED_BACK = "rolled_back"
    ESCALATED = "escalated"


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """One choice of an answer.

    Attributes:
        index: The choice's index.
        written: Text as the model wrote it, as far as it came.
        sent: Text that left the gateway, refusals and alternatives included.
        finish_reason: As it was sent to the client; None where the exchange broke off.
        tool_calls: JSON array of tool calls as the model wrote them, empty where there were none.
        logprobs: JSON arrays of vLLM's `logprobs.content` for `written`, one a piece, in order; empty
            where not asked for.
    """

    index: int
    written: str
    sent: str
    finish_reason: str | None = None
    tool_calls: bytes = b""
    logprobs: tuple[bytes, ...] = ()


class Timings(msgspec.Struct, frozen=True):
    """Durations in microseconds; None where the exchange did not come that far."""

    total: int
    guard_input: int = 0
    guard_output: int = 0
    engine: int | None = None
    first_token: int | None = None


class Digests(msgspec.Struct, frozen=True):
    """SHA-256 hex digests of everything that shaped an answer."""

    policy: str
    rules: str
    base_model: str
    chat_template: str


class Inference(msgspec.Struct, frozen=True, omit_defaults=True, tag="inference"):
    """One exchange, however it ended.

    Attributes:
        id: The signed inference id the client was given.
        created_us: When the request arrived.
        request: The request's body, JSON, with parameters bound; empty where the client said `store: false`.
        user: Keyed hash of the user id, empty where none was given.
        findings: JSON array of the contract's finding objects (input and output), each with `stage`.
        unchecked: JSON array of `{"check", "reason"}`.
        escalation: The contract's escalation object as JSON, empty where there was none.
        stored: False for `store: false`: the record then holds no content, only its facts.
    """

    id: str
    created_us: int
    api: str
    outcome: Outcome
    status: int
    action: str
    alias: str
    adapter: str
    base_model: str
    project: str
    digests: Digests
    timings: Timings
    vllm_version: str = ""
    logprobs_mode: str = ""
    user: str = ""
    conversation_id: str = ""
    streamed: bool = False
    stored: bool = True
    request: bytes = b""
    answers: tuple[Answer, ...] = ()
    findings: bytes = b"[]"
    unchecked: bytes = b"[]"
    escalation: bytes = b""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    error: str = ""


class Feedback(msgspec.Struct, frozen=True, omit_defaults=True, tag="feedback"):
    """One thing a person thought or did about an answer; `id` is derived from the idempotency key, if any."""

    id: str
    created_us: int
    inference_id: str
    kind: FeedbackKind
    project: str
    value: int | str | None = None
    text: str = ""
    idempotency_key: str = ""
    user: str = ""


class Retraction(msgspec.Struct, frozen=True, tag="retraction"):
    """A feedback taken back. The row stays, marked, and counts nowhere."""

    id: str
    created_us: int
    project: str


class Escalation(msgspec.Struct, frozen=True, omit_defaults=True, tag="escalation"):
    """A hand-over to a person, listed for operators once its answer has arrived."""

    id: str
    created_us: int
    inference_id: str
    project: str
    reason: str
    body: bytes  # the contract's escalation object, JSON


Event = Inference | Feedback | Retraction | Escalation


class AdapterState(StrEnum):
    """Where an adapter is in its life; that an alias serves it is the alias's to say."""

    REGISTERED = "registered"  # its files are kept here; no vLLM need have it
    LOADED = "loaded"  # every vLLM has it, and its probe was passed
    FAILED = "failed"  # a vLLM would not have it, or it was not what it should be
    RETIRED = "retired"  # nobody may serve it again; its name stays taken


# What may follow what. An adapter that an alias serves may only fail.
LEGAL = {
    AdapterState.REGISTERED: (AdapterState.LOADED, AdapterState.FAILED, AdapterState.RETIRED),
    AdapterState.LOADED: (AdapterState.REGISTERED, AdapterState.FAILED, AdapterState.RETIRED),
    AdapterState.FAILED: (AdapterState.LOADED, AdapterState.RETIRED),
    AdapterState.RETIRED: (),
}


class Adapter(msgspec.Struct, frozen=True):
    """An immutable, registered adapter; `name` and `version` together are what vLLM is told.

    Attributes:
        provenance: What it was trained from and how, JSON as its maker wrote it; empty where nobody said.
        probe: What it answered when it was first loaded, JSON; empty before.
    """

    name: str
    version: str
    path: str
    digest: str
    base_digest: str
    rank: int
    created_us: int
    state: AdapterState = AdapterState.REGISTERED
    provenance: bytes = b""
    probe: bytes = b""

    @property
    def id(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def loaded(self) -> bool:
        return self.state is AdapterState.LOADED


class Alias(msgspec.Struct, frozen=True):
    """What applications call a model; `adapter` is `name@version`, or `base`."""

    name: str
    adapter: str
    changed_us: int


def _now_us() -> int:
    return time.time_ns() // 1000


class By(msgspec.Struct, frozen=True):
    """Who changed something, why, and when."""

    who: str
    why: str = ""
    at_us: int = msgspec.field(default_factory=_now_us)


class Change(msgspec.Struct, frozen=True):
    """One line of the registry's book, which is only ever added to.

    Attributes:
        number: Rises by one with each change of the store, so that who knows the last one knows whether there is news.
        subject: `adapter` or `alias`.
        name: The adapter's `name@version`, or the alias's name.
        action: What was done: registered, loaded, … of an adapter; made, promoted, rolled_back, kept of an alias.
        before: State or target before; empty where it is new.
        after: State or target since.
    """

    number: int
    changed_us: int
    subject: str
    name: str
    action: str
    before: str
    after: str
    who: str
    why: str


class Page(msgspec.Struct, Generic[Item], frozen=True):
    """One page of a listing, newest first; `after` continues it and is None on the last."""

    items: tuple[Item, ...]
    after: str | None = None
