"""Questions put to the gateway over HTTP, and what comes back: feedback on some, a record of others."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

from gateway.engine import embedded
from gateway.preferences.curricula.interface import number
from training.evidence import Generation
from training.loop import replay
from training.loop.workload import arriving, measured, react, react_again

if TYPE_CHECKING:
    from training.loop.gateway import Gateway
    from training.loop.workload import Question

CHAT, FEEDBACK = "/v1/chat/completions", "/v1/feedback"


async def people_react(gateway: Gateway, count: int, seed: int) -> dict[str, int]:
    """Incidents arrive, and people do something with each answer; how often they did what."""
    done: Counter[str] = Counter()
    await asyncio.gather(*(_visit(gateway, question, done) for question in arriving(count, seed)))
    return dict(sorted(done.items()))


async def ask_measured(gateway: Gateway, arm: Literal["before", "after"], count: int, seed: int) -> list[Generation]:
    """Held-out incidents, each asked once; the answers as the model wrote them and as they were sent."""
    return await asyncio.gather(*(_measure(gateway, arm, question) for question in measured(count, seed)))


async def ask_base(gateway: Gateway, count: int, seed: int) -> list[tuple[str, str]]:
    """What the base model itself says to ordinary questions, whatever `default` answers from."""

    async def ask(place: int, question: str) -> str:
        answer = await gateway.post(
            CHAT,
            {
                "model": embedded.NAME,
                "messages": [{"role": "user", "content": question}],
                "max_tokens": replay.MAX_TOKENS,
                "temperature": replay.TEMPERATURE,
                "seed": number(replay.ORIGIN, seed, place) % 2**31,
            },
        )
        return "" if _stopped(answer) else _text(answer)

    asked = replay.questions(count)
    said = await asyncio.gather(*(ask(place, question) for place, question in enumerate(asked)))
    return list(zip(asked, said, strict=True))


async def _visit(gateway: Gateway, question: Question, done: Counter[str]) -> None:
    first = await gateway.post(CHAT, question.body())
    reaction = react(question, first["id"], _text(first), stopped=_stopped(first))
    await _give(gateway, reaction.feedback, done)
    if _stopped(first):
        done["stopped by the guard"] += 1
    if not reaction.again:
        return
    second = await gateway.post(CHAT, question.body(question.seed + 1))
    await _give(gateway, {"inference_id": first["id"], "kind": "regenerated", "value": second["id"]}, done)
    answers = (first["id"], _text(first)), (second["id"], _text(second))
    await _give(gateway, react_again(question, *answers, stopped=_stopped(second)), done)


async def _give(gateway: Gateway, feedback: dict[str, Any] | None, done: Counter[str]) -> None:
    if feedback is not None:
        await gateway.post(FEEDBACK, feedback)
        done[feedback["kind"]] += 1


async def _measure(gateway: Gateway, arm: Literal["before", "after"], question: Question) -> Generation:
    answer = await gateway.post(CHAT, question.body())
    # What the guard stopped was written all the same; only the record has it.
    record = await gateway.get(f"/admin/inferences/{answer['id']}")
    scenario = question.scenario
    return Generation(
        arm=arm,
        prompt_id=scenario.id,
        incident=scenario.incident,
        prompt=scenario.prompt,
        seed=question.seed,
        text=record["answers"][0]["written"],
        sent=record["answers"][0]["sent"],
        inference_id=answer["id"],
        adapter=answer["wardgate"]["adapter"],
        action=answer["wardgate"]["action"],
    )


def _text(answer: dict[str, Any]) -> str:
    return answer["choices"][0]["message"]["content"] or ""


def _stopped(answer: dict[str, Any]) -> bool:
    return bool(answer["wardgate"]["action"] in ("block", "escalate"))
