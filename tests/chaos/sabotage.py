"""Workers with one of Faust's traps put back: the chaos test must notice. `faust -A tests.chaos.sabotage`.

Environment: CHAOS_STAGE is the service, CHAOS_SABOTAGE one of

- `ack-before-send`: messages are acknowledged, and committed, before their records are sent;
- `no-confirm`: records are sent and forgotten: nobody waits for the cluster or ends the process.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from services.runtime import stream
from services.runtime.faust_app import on_demand
from services.runtime.stream import StreamWorker, create_app
from services.topology import load_stage

SABOTAGES = ("ack-before-send", "no-confirm")


def _acknowledge_first(process: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def process_batch(self: StreamWorker, events: list[Any], *rest: Any) -> None:
        for event in events:
            event.ack()
        await process(self, events, *rest)

    return process_batch


async def _do_not_wait(_: StreamWorker, __: list[Awaitable[Any]]) -> None:
    await asyncio.sleep(0)


sabotage = os.environ.get("CHAOS_SABOTAGE", "")
patched: Any = StreamWorker
if sabotage == "ack-before-send":
    patched._process_batch = _acknowledge_first(patched._process_batch)
elif sabotage == "no-confirm":
    patched._confirm = _do_not_wait
    stream._end_if_failed = lambda _: None
else:
    raise SystemExit(f"CHAOS_SABOTAGE={sabotage!r} is none of {', '.join(SABOTAGES)}")

__getattr__ = on_demand(partial(create_app, load_stage(os.environ["CHAOS_STAGE"])))
