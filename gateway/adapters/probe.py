"""What an adapter says of given texts, recorded when it is first loaded: so is told later whose weights answer.

A text is scored as vLLM sees it (teacher-forced: the log-probability of each token after those before it), so nothing
is sampled. Repeats under load differ by what batching does to rounding; three times that is what may differ later.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from gateway.engine.client import EngineRefused, EngineSlow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.engine.client import EngineClient

QUESTIONS = (
    "The disk of the database server is full. What do I do?",
    "Write one sentence about the sea.",
)
ANSWER_TOKENS = 12
REPEATS = 20
TOGETHER = 8  # repeats in flight at once
FILLERS = 4  # chats of the base model beside them, so that the batches differ
FILLER_TOKENS = 32
TOLERANCE = 3.0  # times the spread
NEAR = 5.0  # times the tolerance: closer than this, the probe cannot be trusted to tell two apart
# Nats a token. Where repeats agree to the last bit, as they do on a CPU, another machine's rounding still may not.
LEAST_SPREAD = 0.01
PATIENCE = 120.0  # seconds for one answer, on a busy server


class Line(msgspec.Struct, frozen=True):
    """One question, the answer that the adapter gave to it, and how likely each token of both was."""

    question: str
    answer: str
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]


class Probe(msgspec.Struct, frozen=True):
    """What an adapter answered at its first load.

    Attributes:
        vllm_version: Another version may round otherwise: then it is recorded anew.
        spread: Mean difference of repeats under load, the largest of them, nats a token.
        lines: The texts.
    """

    vllm_version: str
    spread: float
    lines: tuple[Line, ...]

    @property
    def tolerance(self) -> float:
        """Nats a token by which the adapter may differ from what was recorded."""
        return TOLERANCE * max(self.spread, LEAST_SPREAD)


class _Logprob(msgspec.Struct):
    logprob: float


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Answer(msgspec.Struct):
    choices: list[_Choice]
    prompt_logprobs: list[dict[str, _Logprob] | None] | None = None


_read_answer = msgspec.json.Decoder(_Answer).decode
read_probe = msgspec.json.Decoder(Probe).decode


async def record(client: EngineClient, model: str, base: str, vllm_version: str) -> Probe:
    """Ask the adapter `model` for answers, and score them again and again while the base model is kept busy.

    Raises:
        EngineRefused: vLLM does not answer chats under this name.
        EngineGone: vLLM went away.
    """
    answers = [await _ask(client, model, question) for question in QUESTIONS]
    lines = [
        Line(question, answer, *await _score(client, model, question, answer))
        for question, answer in zip(QUESTIONS, answers, strict=True)
    ]
    together = asyncio.Semaphore(TOGETHER)

    async def repeat() -> float:
        async with together:
            return distance(lines, [await _scored(client, model, line) for line in lines])

    fillers = [f"Tell me about the number {number}. " * (number + 1) for number in range(FILLERS)]
    busy = asyncio.gather(*(_ask(client, base, filler, FILLER_TOKENS) for filler in fillers))
    spread = max(await asyncio.gather(*(repeat() for _ in range(REPEATS))))
    await busy
    return Probe(vllm_version, spread, tuple(lines))


async def differs(client: EngineClient, model: str, probe: Probe) -> float:
    """How far `model` is from what was recorded, nats a token.

    Raises:
        EngineRefused: vLLM does not know the model.
        EngineGone: vLLM went away.
    """
    return distance(probe.lines, [await _scored(client, model, line) for line in probe.lines])


async def lookalikes(client: EngineClient, model: str, probe: Probe, others: Iterable[str]) -> tuple[str, ...]:
    """Which other models answer so much like `model` that the probe could hardly tell them apart, in words."""
    warnings = []
    for other in others:
        with contextlib.suppress(EngineRefused):
            gap = await differs(client, other, probe)
            if gap < NEAR * probe.tolerance:
                warnings.append(
                    f"{other} answers only {gap:.3f} nats a token away from {model}, and {probe.tolerance:.3f} is what "
                    "repeats may differ: the probe can hardly tell them apart"
                )
    return tuple(warnings)


def distance(lines: Iterable[Line], scores: Iterable[tuple[float, ...]]) -> float:
    """The mean difference of two scorings, nats a token; infinite where they are not of the same tokens."""
    pairs = list(zip(lines, scores, strict=True))
    if any(len(line.logprobs) != len(score) for line, score in pairs):
        return float("inf")
    gaps = [abs(was - now) for line, score in pairs for was, now in zip(line.logprobs, score, strict=True)]
    return sum(gaps) / len(gaps)


async def _scored(client: EngineClient, model: str, line: Line) -> tuple[float, ...]:
    tokens, logprobs = await _score(client, model, line.question, line.answer)
    return logprobs if tokens == line.tokens else ()


async def _score(
    client: EngineClient, model: str, question: str, answer: str
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The tokens of the whole conversation but the first, and the log-probability of each."""
    given = await _chat(
        client,
        model,
        [{"role": "user", "content": question}, {"role": "assistant", "content": answer}],
        max_tokens=1,
        prompt_logprobs=0,
        continue_final_message=True,
        add_generation_prompt=False,
    )
    scored = [next(iter(entry.items())) for entry in given.prompt_logprobs or () if entry]
    return tuple(int(token) for token, _ in scored), tuple(round(one.logprob, 6) for _, one in scored)


async def _ask(client: EngineClient, model: str, question: str, tokens: int = ANSWER_TOKENS) -> str:
    given = await _chat(client, model, [{"role": "user", "content": question}], max_tokens=tokens)
    # vLLM does not continue an answer that is empty.
    return (given.choices[0].message.content or "").strip() or "Yes"


async def _chat(client: EngineClient, model: str, messages: Sequence[dict[str, str]], **more: Any) -> _Answer:
    body = msgspec.json.encode({"model": model, "messages": messages, "temperature": 0, **more})
    try:
        async with asyncio.timeout(PATIENCE), await client.chat(body, f"chatcmpl-probe-{uuid4().hex}") as reply:
            answer = await reply.read()
    except TimeoutError as error:
        raise EngineSlow(f"vLLM at {client.url} did not answer the probe in {PATIENCE:.0f} s.") from error
    if reply.status != 200:
        raise EngineRefused(f"vLLM answered the probe of {model!r} with {reply.status}: {answer[:200]!r}")
    return _read_answer(answer)
