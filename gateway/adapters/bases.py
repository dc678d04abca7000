"""Which model an adapter was trained on, and whether that is the one served here."""

from __future__ import annotations

from gateway.errors import Conflict


def base_of(name: str, digest: str, served: str, served_digest: str) -> str:
    """The digest of the base that an adapter was trained on: what it says, else the served one where the names agree.

    Raises:
        Conflict: It was trained on another model.
    """
    if digest:
        if served_digest and digest != served_digest:
            raise Conflict(other_base("wardgate.json", digest, served_digest), code="wrong_base", param="path")
        return digest
    mine, theirs = (text.rstrip("/").rpartition("/")[2] for text in (name, served))
    if served and mine != theirs:
        raise Conflict(
            f"adapter_config.json: base_model_name_or_path is {name[:200]!r}, and {served!r} is served; "
            "register it where its base model is served.",
            code="wrong_base",
            param="path",
        )
    return served_digest


def other_base(what: str, digest: str, served: str) -> str:
    """What is said where two bases differ."""
    return (
        f"{what}: was trained on a base model with the digest {digest}, and the one served here has {served}; "
        "serve that model, or train the adapter on this one."
    )
