"""Counters of conversations that are going on: how often the guard has stopped something in each."""

from __future__ import annotations

from collections import OrderedDict

MOST = 10_000


class Conversations:
    """Blocks by project and conversation id; the conversation that was quiet the longest is forgotten first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._blocks: OrderedDict[tuple[str, str], int] = OrderedDict()

    def blocks(self, project: str, conversation_id: str) -> int:
        return self._blocks.get((project, conversation_id), 0)

    def blocked(self, project: str, conversation_id: str) -> None:
        """Count one stop; a request without a conversation id belongs to none."""
        if not conversation_id:
            return
        key = (project, conversation_id)
        self._blocks[key] = self._blocks.get(key, 0) + 1
        self._blocks.move_to_end(key)
        if len(self._blocks) > self._most:
            self._blocks.popitem(last=False)
