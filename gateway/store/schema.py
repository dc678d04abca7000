r"""The store's tables, declared once, for SQLite and PostgreSQL alike.

Documents (requests, findings, log-probabilities) are JSON in text columns: nothing but this program's own columns is
asked about in SQL, and JSON as it was sent may hold what PostgreSQL's `jsonb` refuses (`\u0000`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Dialect

VERSION = "0002"  # of the newest file in migrations/versions
_ESCAPE = "\ue000"  # private use: stands for no character that a text could mean
_ESCAPED = str.maketrans({"\0": _ESCAPE + "0", _ESCAPE: _ESCAPE + "1"})


class Content(TypeDecorator[str]):
    """Text from outside, kept to the character: PostgreSQL's text has no U+0000, so that one is escaped."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's call
        if value is None or not ("\0" in value or _ESCAPE in value):
            return value
        return value.translate(_ESCAPED)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's call
        if value is None or _ESCAPE not in value:
            return value
        head, *rest = value.split(_ESCAPE)
        return head + "".join(("\0" if part[0] == "0" else _ESCAPE) + part[1:] for part in rest)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


def _content(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Content, nullable=null)


def _micros(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null)


inferences = Table(
    "inferences",
    metadata,
    Column("id", Text, primary_key=True),
    _micros("created_us"),
    _text("api"),
    _text("outcome"),
    Column("status", Integer, nullable=False),
    _text("action"),
    _content("alias"),
    _text("adapter"),
    _text("base_model"),
    _text("project"),
    _text("policy_digest"),
    _text("rules_digest"),
    _text("base_digest"),
    _text("template_digest"),
    _text("vllm_version"),
    _text("logprobs_mode"),
    _text("user_hash"),
    _content("conversation_id"),
    Column("streamed", Boolean, nullable=False),
    Column("stored", Boolean, nullable=False),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    _micros("total_us"),
    _micros("guard_input_us"),
    _micros("guard_output_us"),
    _micros("engine_us", null=True),
    _micros("first_token_us", null=True),
    _content("error"),
    _content("request"),
    _content("unchecked"),
    _content("escalation"),
    Index(None, "created_us", "id"),
    Index(None, "project", "created_us"),
    Index(None, "conversation_id", "created_us"),
)

answers = Table(
    "answers",
    metadata,
    Column("inference_id", Text, ForeignKey("inferences.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    _content("written"),
    _content("sent"),
    _text("finish_reason", null=True),
    _content("tool_calls"),
    _content("tokens"),  # JSON: the tokens of `written`, as text
    _content("logprobs"),  # JSON: one log-probability a token
    _content("alternatives"),  # JSON: [[token, log-probability], …] a token, empty where none were asked for
)

findings = Table(
    "findings",
    metadata,
    Column("inference_id", Text, ForeignKey("inferences.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    _text("stage"),
    _text("check_name"),
    _text("rule"),
    _text("severity"),
    _content("document"),  # JSON: the contract's finding object
    Index(None, "check_name", "rule"),
)

# No foreign key: feedback may arrive before the record of its inference.
feedback = Table(
    "feedback",
    metadata,
    Column("id", Text, primary_key=True),
    _micros("created_us"),
    _text("inference_id"),
    _text("kind"),
    _text("project"),
    Column("number", BigInteger),
    _content("other", null=True),  # the other answer's id
    _content("text"),
    _content("idempotency_key"),
    _text("user_hash"),
    Index(None, "inference_id"),
    Index(None, "created_us", "id"),
)

# A table of its own: a retraction may be drained before the feedback, by another gateway, at the same moment.
retractions = Table(
    "retractions",
    metadata,
    Column("feedback_id", Text, primary_key=True),
    _text("project"),
    _micros("retracted_us"),
)

escalations = Table(
    "escalations",
    metadata,
    Column("id", Text, primary_key=True),
    _micros("created_us"),
    _text("inference_id"),
    _text("project"),
    _text("reason"),
    _content("document"),  # JSON: the contract's escalation object
    Index(None, "inference_id"),
    Index(None, "created_us", "id"),
)

adapters = Table(
    "adapters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    _text("path"),
    _text("digest"),
    _text("base_digest"),
    Column("rank", Integer, nullable=False),
    _micros("created_us"),
    _text("state"),
    _content("provenance"),  # JSON, as the adapter's maker wrote it
    _content("probe"),  # JSON; empty before the first load
)

aliases = Table(
    "aliases",
    metadata,
    Column("name", Text, primary_key=True),
    _text("adapter"),
    _micros("changed_us"),
)

# Only ever added to: who changed an adapter's state or an alias's target, when, and why.
registry_changes = Table(
    "registry_changes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    _micros("changed_us"),
    _text("subject"),
    _text("name"),
    _text("action"),
    _text("before"),
    _text("after"),
    _text("who"),
    _content("why"),
    Index(None, "subject", "name", "number"),
)

# The keys behind signed ids: a gateway that is built anew on this store still knows the ids it issued.
id_keys = Table(
    "id_keys",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("secret", LargeBinary, nullable=False),
    _micros("created_us"),
)
