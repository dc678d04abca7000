"""A 202 means on disk: seen from the kernel's side, in the order of system calls of the real gateway."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest
from fake_vllm import ChattingVllm
from serving import WARDGATE, serve

if TYPE_CHECKING:
    from pathlib import Path

CALLS = "trace=fsync,fdatasync,write,writev,sendto,sendmsg"


async def test_the_spool_is_synced_before_feedback_is_acknowledged(tmp_path: Path) -> None:
    """Between the chat's answer and the feedback's 202 stands a sync of the spool's write-ahead log."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    engine = ChattingVllm(["Look", " at", " the", " logs."])
    await engine.start()
    trace = tmp_path / "trace"
    strace = ("strace", "-f", "-y", "-s", "64", "-o", str(trace), "-e", CALLS)
    gateway = serve(
        tmp_path / "home", command=(*strace, str(WARDGATE), "serve", "--port", "0", "--upstream", engine.url)
    )
    try:
        await asyncio.to_thread(gateway.wait_ready, 90)
        chat = {"model": "default", "messages": [{"role": "user", "content": "Hello"}]}
        status, answer = await asyncio.to_thread(gateway.post, "/v1/chat/completions", chat)
        assert status == 200
        thumb = {"inference_id": answer["id"], "kind": "thumbs", "value": 1}
        status, _ = await asyncio.to_thread(gateway.post, "/v1/feedback", thumb)
        assert status == 202
    finally:
        await asyncio.to_thread(gateway.stop)
        await engine.stop()
    lines = trace.read_text().splitlines()
    answered = max(index for index, line in enumerate(lines) if "HTTP/1.1 200" in line)
    acknowledged = next(index for index, line in enumerate(lines) if "HTTP/1.1 202" in line)
    synced = [index for index, line in enumerate(lines) if "sync(" in line and "/spool/" in line and "-wal>" in line]
    assert [index for index in synced if answered < index < acknowledged]
