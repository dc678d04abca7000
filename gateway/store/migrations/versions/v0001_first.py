"""The first schema: exchanges, what people thought of them, names of models, keys behind ids."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _inferences()
    _parts_of_inferences()
    _feedback()
    _escalations()
    _models()
    op.create_table(
        "id_keys",
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_id_keys"),
    )


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _micros(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _inferences() -> None:
    op.create_table(
        "inferences",
        *_texts("id"),
        *_micros("created_us"),
        *_texts("api", "outcome"),
        sa.Column("status", sa.Integer, nullable=False),
        *_texts("action", "alias", "adapter", "base_model", "project"),
        *_texts("policy_digest", "rules_digest", "base_digest", "template_digest"),
        *_texts("vllm_version", "logprobs_mode", "user_hash", "conversation_id"),
        sa.Column("streamed", sa.Boolean, nullable=False),
        sa.Column("stored", sa.Boolean, nullable=False),
        sa.Column("prompt_tokens", sa.Integer),
        sa.Column("completion_tokens", sa.Integer),
        *_micros("total_us", "guard_input_us", "guard_output_us"),
        sa.Column("engine_us", sa.BigInteger),
        sa.Column("first_token_us", sa.BigInteger),
        *_texts("error", "request", "unchecked", "escalation"),
        sa.PrimaryKeyConstraint("id", name="pk_inferences"),
    )
    op.create_index("ix_inferences_created_us_id", "inferences", ["created_us", "id"])
    op.create_index("ix_inferences_project_created_us", "inferences", ["project", "created_us"])
    op.create_index("ix_inferences_conversation_id_created_us", "inferences", ["conversation_id", "created_us"])


def _parts_of_inferences() -> None:
    op.create_table(
        "answers",
        *_texts("inference_id"),
        sa.Column("number", sa.Integer, nullable=False),
        *_texts("written", "sent"),
        sa.Column("finish_reason", sa.Text),
        *_texts("tool_calls", "tokens", "logprobs", "alternatives"),
        sa.PrimaryKeyConstraint("inference_id", "number", name="pk_answers"),
        sa.ForeignKeyConstraint(
            ["inference_id"], ["inferences.id"], name="fk_answers_inference_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "findings",
        *_texts("inference_id"),
        sa.Column("position", sa.Integer, nullable=False),
        *_texts("stage", "check_name", "rule", "severity", "document"),
        sa.PrimaryKeyConstraint("inference_id", "position", name="pk_findings"),
        sa.ForeignKeyConstraint(
            ["inference_id"], ["inferences.id"], name="fk_findings_inference_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_findings_check_name_rule", "findings", ["check_name", "rule"])


def _feedback() -> None:
    op.create_table(
        "feedback",
        *_texts("id"),
        *_micros("created_us"),
        *_texts("inference_id", "kind", "project"),
        sa.Column("number", sa.BigInteger),
        sa.Column("other", sa.Text),
        *_texts("text", "idempotency_key", "user_hash"),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
    )
    op.create_index("ix_feedback_inference_id", "feedback", ["inference_id"])
    op.create_index("ix_feedback_created_us_id", "feedback", ["created_us", "id"])
    op.create_table(
        "retractions",
        *_texts("feedback_id", "project"),
        *_micros("retracted_us"),
        sa.PrimaryKeyConstraint("feedback_id", name="pk_retractions"),
    )


def _escalations() -> None:
    op.create_table(
        "escalations",
        *_texts("id"),
        *_micros("created_us"),
        *_texts("inference_id", "project", "reason", "document"),
        sa.PrimaryKeyConstraint("id", name="pk_escalations"),
    )
    op.create_index("ix_escalations_inference_id", "escalations", ["inference_id"])
    op.create_index("ix_escalations_created_us_id", "escalations", ["created_us", "id"])


def _models() -> None:
    op.create_table(
        "adapters",
        *_texts("name", "version", "path", "digest", "base_digest"),
        sa.Column("rank", sa.Integer, nullable=False),
        *_micros("created_us"),
        sa.Column("loaded", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name="pk_adapters"),
    )
    op.create_table(
        "aliases",
        *_texts("name", "adapter"),
        *_micros("changed_us"),
        sa.PrimaryKeyConstraint("name", name="pk_aliases"),
    )
