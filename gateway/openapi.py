"""The OpenAPI document: FastAPI's own routes, the chat route that bypasses it, and the one form of every error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

if TYPE_CHECKING:
    from fastapi import FastAPI

ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
KEYS = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}
PARAMETER = {
    "anyOf": [
        {"type": ["string", "number", "boolean"]},
        {
            "type": "object",
            "required": ["value"],
            "properties": {
                "value": {},
                "type": {"type": "string"},
                "values": {"type": "array", "items": {"type": "string"}},
            },
        },
    ]
}
WARDGATE = {
    "type": "object",
    "properties": {
        "conversation_id": {"type": "string"},
        "user_id": {"type": "string"},
        "parameters": {"type": "object", "additionalProperties": PARAMETER},
        "store": {"type": "boolean", "default": True},
        "facts": {
            "description": "What an answer may name beside what the request does; not sent to the model.",
            "anyOf": [{"type": "string"}, {"type": "array"}, {"type": "object"}],
        },
    },
}
CHAT: dict[str, Any] = {
    "post": {
        "tags": ["applications"],
        "summary": "A chat completion, guarded",
        "description": "OpenAI's request and answer, streamed or not. Fields that the gateway does not know reach "
        "vLLM untouched. The answer carries an object `wardgate` and the header `x-wardgate-action`.",
        "operationId": "chat_completions",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["model", "messages"],
                        "properties": {
                            "model": {"type": "string"},
                            "messages": {"type": "array", "items": {"type": "object"}, "minItems": 1},
                            "stream": {"type": "boolean"},
                            "wardgate": WARDGATE,
                        },
                    }
                }
            },
        },
        "responses": {
            "200": {
                "description": "The answer, or a refusal with `finish_reason` `content_filter`",
                "headers": {"x-wardgate-action": {"schema": {"type": "string"}}},
                "content": {
                    "application/json": {"schema": {"type": "object"}},
                    "text/event-stream": {"schema": {"type": "string"}},
                },
            }
        },
    }
}


def describe(pages: FastAPI, chat_path: str) -> None:
    """Have `pages` serve a document that names every route of the gateway."""

    def document() -> dict[str, Any]:
        if pages.openapi_schema is None:
            pages.openapi_schema = _document(pages, chat_path)
        return pages.openapi_schema

    pages.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way


def _document(pages: FastAPI, chat_path: str) -> dict[str, Any]:
    schema = get_openapi(title=pages.title, version=pages.version, routes=pages.routes)
    schema["paths"][chat_path] = CHAT
    components = schema.setdefault("components", {})
    components["schemas"] = {
        name: form
        for name, form in components.get("schemas", {}).items()
        if name not in ("HTTPValidationError", "ValidationError")
    } | {"Error": ERROR}
    components["securitySchemes"] = KEYS
    error = {
        "description": "Any error",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            responses = {status: answer for status, answer in operation["responses"].items() if status != "422"}
            operation["responses"] = responses | {"default": error}
            if not path.startswith("/health"):
                operation["security"] = [{name: []} for name in KEYS]
    return schema
