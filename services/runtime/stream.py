"""A stage on real topics: decide, publish, confirm, acknowledge.

Every work-around for Faust is here or in `faust_app`, each with a test in tests/integration/test_stream.py:

- Faust acknowledges an event when the agent's body is left, by an exception or a cancellation too. We take
  events unacknowledged (`noack_take`) and acknowledge them ourselves, after the cluster has confirmed every
  record that follows from them.
- A failed send is only logged while its offset still commits, and the records sent after it go on. We await
  every send before we acknowledge, and one that fails ends the process at once: the output of a stage is
  always a prefix of what it would have written, never one with a hole.
- The flush before a commit gives up after 0.1 s. Nothing that is acknowledged waits to be flushed.
- Undecodable values are skipped and acknowledged. Values stay bytes here; `runtime.stage` decodes them.
- Messages buffered before a rebalance are delivered after it. They are dropped: whoever owns the partition
  now is given them again.
- After a jump in the offsets Faust counts what lies between as acknowledged, whether it was delivered or
  not. We look at the log whenever offsets jump; a message that was not delivered ends the process.
- A consumer can fall silent while the process lives, and Faust's detector cannot fire. We ask the cluster
  what waits; a partition that stands still ends the process (`runtime.input_probe`).
- An agent that is cancelled goes on with the next message. In the middle of a batch that ends the process.
- The worker command turns the setting `web_enabled` on again, and its web server shows tables to everybody
  at a fixed port. Only the boot strategy keeps it off.
- `wait_empty` has no deadline, so it is off; a rebalance waits for the batch in hand instead, and the
  watchdog ends a process whose batch does not end.
- Stopping waits for the cluster as long as it likes. The watchdog ends a process that takes too long to stop.
- Up to 4096 messages wait in front of an agent, each of up to some megabytes. We let one batch wait.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast
from wsgiref.simple_server import WSGIServer

import faust
from faust.types import TP, EventT

from services.runtime import dead_letters, logs
from services.runtime.batches import parts_of
from services.runtime.breaker import Breaker
from services.runtime.codec import encode
from services.runtime.editions import from_probe, is_probe, probe_edition
from services.runtime.errors import InfrastructureError
from services.runtime.events import Headers, Origin, headers_of, origin_of, raw_origin
from services.runtime.faust_app import faust_app
from services.runtime.http import metrics_page, serve, verdict
from services.runtime.input_probe import InputProbe, Standstill
from services.runtime.memory import PartitionMemory, Position
from services.runtime.metrics import Metrics
from services.runtime.records import Record
from services.runtime.restore import read_to_end
from services.runtime.settings import Settings
from services.runtime.stage import (
    Failure,
    Outcome,
    Runner,
    Stage,
    StatefulStage,
    input_limit,
    stateless_runner,
)
from services.runtime.topics import DEAD, RAW, topic
from services.runtime.watchdog import Watchdog, end_process

log = logging.getLogger(__name__)


def create_app(stage: Stage, settings: Settings) -> faust.App:
    """Return the Faust app that runs `stage` on the cluster of `settings`."""
    app = faust_app(stage.name, settings)
    worker = StreamWorker(app, stage, settings)
    source = app.topic(
        stage.source, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )
    app.agent(source, name=stage.name, concurrency=1)(worker.run)
    app.task(worker.start)
    app.task(worker.look_for_standstill)
    signals: Any = app  # typed for synchronous receivers only
    signals.on_worker_init.connect(worker.bound_the_stop)
    signals.on_partitions_assigned.connect(worker.on_assigned)
    signals.on_partitions_revoked.connect(worker.on_revoked)
    return app


class StreamWorker:
    """Moves messages of one stage from its source to its sink: decide, publish, confirm, acknowledge."""

    def __init__(self, app: faust.App, stage: Stage, settings: Settings) -> None:
        self._app = app
        self._stage = stage
        self._settings = settings
        self._sink = topic(stage.sink)
        self._dead = topic(DEAD)
        self._metrics = Metrics(stage.name)
        self._watchdog = Watchdog(settings.stuck_after_s)
        self._breaker = Breaker()
        self._halted: str | None = None
        """Why the circuit breaker has stopped this stage, until somebody starts it again."""
        self._probe = InputProbe(settings, stage.source, settings.stuck_after_s / 2)
        self._standstill = Standstill(settings.stuck_after_s)
        self._decided = self._decided_before = 0
        """Messages decided so far, and when the input was last looked at from outside."""
        self._next_offsets: dict[int, int] = {}
        """Partition -> the offset that follows the last message taken under the current assignment."""
        self._input_limit = input_limit(stage, settings.max_message_bytes)
        self._warm = False
        self._stateless: Runner | None = None
        self._memory: dict[int, PartitionMemory] = {}
        self._restoring: dict[int, asyncio.Task[None]] = {}
        self._assignment = 0
        """Number of the current assignment; events taken under an earlier one are not acknowledged."""
        self._assigned: set[int] = set()
        self._batch_in_hand = asyncio.Lock()
        self._server: WSGIServer | None = None

    async def start(self) -> None:
        """Serve /metrics, /health and /ready, and start the watchdog."""
        self._watchdog.start()
        self._metrics.ready.labels(self._stage.name).set_function(lambda: float(self._not_ready() is None))
        self._server = serve(
            self._settings.http_host,
            self._settings.http_port,
            {
                "/metrics": metrics_page(self._metrics.registry),
                "/health": verdict(lambda: self._watchdog.stuck() or self._standstill.stuck()),
                "/ready": verdict(self._not_ready),
            },
        )
        log.info("%s serves /metrics on port %d", self._stage.name, self._server.server_port)

    def bound_the_stop(self, _: faust.App, **__: Any) -> None:
        """From now on, end the process if it takes too long to stop."""
        self._watchdog.bound_the_stop(lambda: bool(self._app.should_stop), self._settings.stop_within_s)

    async def look_for_standstill(self) -> None:
        """Look at the input from outside, again and again; end the process when a partition stands still."""
        pause_s = min(15.0, max(0.5, self._settings.stuck_after_s / 8))
        group = str(self._app.conf.id)
        try:
            while True:
                # Asleep for longer than the limit is a blocked event loop: that is no life either.
                with self._watchdog.work("looking at the input from outside"):
                    self._standstill.saw(await self._waiting(group))
                    stuck = self._standstill.stuck()
                    if stuck is not None:
                        end_process(f"{self._stage.source}, {stuck}")
                    await asyncio.sleep(pause_s)
        finally:
            await self._probe.close()

    async def _waiting(self, group: str) -> dict[int, int]:
        """Return the first unfinished message of each partition that this process should be working on."""
        decided_before, self._decided_before = self._decided_before, self._decided
        in_a_batch = self._batch_in_hand.locked() and self._decided > decided_before
        if not self._warm or self._rebuilding() or in_a_batch or self._halted is not None:
            return {}
        # A process that is in no group yet answers for all partitions; one that was given none, for none.
        partitions = self._assigned if self._assignment else range(topic(self._stage.source).partitions)
        try:
            return await self._probe.waiting(group, partitions)
        except InfrastructureError as error:
            log.warning("%s", error)
            return {}  # nobody can say: the clock starts anew

    async def run(self, stream: Any) -> None:
        """Process the stream until the app stops; ends the process when the cluster fails."""
        if isinstance(self._stage, StatefulStage):
            await asyncio.to_thread(self._stage.warm_up)
        else:
            self._stateless = stateless_runner(await asyncio.to_thread(self._stage.load), self._input_limit)
        self._warm = True
        async for events in stream.noack_take(self._settings.batch_size, within=self._settings.batch_wait_s):
            for part in parts_of(events):
                async with self._batch_in_hand:
                    try:
                        with self._watchdog.work(f"a batch of {self._stage.name}") as still_alive:
                            await self._process_batch(part, still_alive)
                    except Exception as error:
                        # Left to Faust, the agent would be restarted on the next message: this batch lost.
                        log.exception("the batch cannot be finished")
                        end_process(str(error))
                    except asyncio.CancelledError:
                        if not self._app.should_stop:  # the memory may hold what was never published
                            end_process("the agent was cancelled in the middle of a batch")
                        raise
                if self._halted is not None:
                    await asyncio.Event().wait()  # whoever starts it again has looked at the dead letters

    async def on_assigned(self, _: faust.App, assigned: set[TP], **__: Any) -> None:
        """Start rebuilding the memory of the partitions that are ours now."""
        self._assignment += 1
        self._metrics.rebalances.labels(self._stage.name).inc()
        partitions = {where.partition for where in assigned if where.topic == self._stage.source}
        self._assigned = partitions
        self._next_offsets = {}
        self._metrics.assigned_partitions.labels(self._stage.name).set(len(partitions))
        # A memory goes on from where it stands in the log. Where somebody else has written in between, it
        # does not know where that is: a record older than what it remembers must not be applied again.
        kept = {p for p, memory in self._memory.items() if p in partitions and memory.knows_its_place}
        for gone in set(self._memory) - kept:
            del self._memory[gone]
            self._metrics.restore.gone(gone)
            self._metrics.state.gone(gone)
        if isinstance(self._stage, StatefulStage):
            self._restoring = {
                partition: asyncio.create_task(self._restore(partition)) for partition in sorted(partitions)
            }

    async def on_revoked(self, _: faust.App, revoked: set[TP], **__: Any) -> None:
        """Let the batch in hand end before the partitions go to somebody else."""
        self._assignment += 1
        for task in self._restoring.values():
            task.cancel()
        self._restoring = {}
        async with self._batch_in_hand:
            pass

    async def _process_batch(self, events: list[EventT[bytes]], still_alive: Callable[[], None]) -> None:
        started = time.monotonic()
        assignment = self._assignment
        name = self._stage.name
        sends: list[Awaitable[Any]] = []
        published: list[tuple[Record, Origin]] = []
        finished: list[EventT[bytes]] = []
        for event in events:
            message = event.message
            process = await self._process_of(message.partition, still_alive)
            if process is None or message.generation_id != self._app.consumer_generation_id:
                continue  # buffered before a rebalance: its owner of today reads it
            await self._require_no_hole(message)
            with self._metrics.decision_seconds.labels(name).time():
                outcome = process(message.value, Position.of(message))
            origin = self._origin(message)
            if log.isEnabledFor(logging.DEBUG):
                log.debug("decided", extra=logs.decision(name, message, outcome, origin.traceparent))
            if isinstance(outcome, Failure):
                sends.append(await self._send_dead(message, outcome))
                self._metrics.dead_letters.labels(name, outcome.reason.value).inc()
                self._metrics.messages.labels(name, "dead").inc()
            else:
                if self._stage.source == RAW and from_probe(_headers(message)):
                    outcome = [{**record, "edition": probe_edition(record["edition"])} for record in outcome]
                sends += [await self._send(record, origin, message) for record in outcome]
                published += [(record, origin) for record in outcome]
                self._metrics.messages.labels(name, "published" if outcome else "unchanged").inc()
            self._breaker.record(dead=isinstance(outcome, Failure))
            finished.append(event)
            still_alive()
            self._decided += 1
            await asyncio.sleep(0)  # decisions are pure computing: let heartbeats and scrapes in between
        await self._confirm(sends)
        self._metrics.batch_seconds.labels(name).observe(time.monotonic() - started)
        for record, origin in published:
            if not is_probe(record["edition"]):  # a probe's articles are no news
                arrived_at_s = origin.arrived_at_ms / 1000
                self._metrics.domain.count(record, arrived_at_s, time.time() - arrived_at_s)
        for partition in {event.message.partition for event in finished} & self._memory.keys():
            self._metrics.state.measure(partition, self._memory[partition].state)
        if assignment != self._assignment:
            return  # revoked meanwhile: whoever owns the partition now finds this work already done
        for event in finished:
            event.ack()
            age_s = time.time() - self._origin(event.message).arrived_at_ms / 1000
            self._metrics.age_seconds.labels(name).observe(max(0.0, age_s))
        self._halted = self._breaker.open_because()
        if self._halted is not None:
            self._metrics.breaker_open.labels(name).set(1)
            log.critical(
                "Circuit breaker: %s. Nothing more is processed until this service is started again;"
                " look at them with `machtin dead list`.",
                self._halted,
            )

    async def _require_no_hole(self, message: Any) -> None:
        """Raise InfrastructureError if Faust has passed over a message before this one."""
        partition, offset = message.partition, message.offset
        expected = self._next_offsets.get(partition)
        if expected is None:  # the first one since the assignment: Faust starts at what is committed
            committed = self._app.consumer._committed_offset  # type: ignore[attr-defined]
            expected = committed.get(message.tp) or 0
        if offset > expected:
            first = await self._probe.first_from(partition, expected)
            if first is not None and first < offset:
                raise InfrastructureError(
                    f"{message.topic}[{partition}]: offset {offset} was delivered, {first} was not."
                )
        self._next_offsets[partition] = max(expected, offset + 1)

    async def _process_of(
        self, partition: int, still_alive: Callable[[], None]
    ) -> Callable[[bytes | None, Position], Outcome] | None:
        """Return what decides a partition, once its state is rebuilt, or None when it is not ours."""
        if self._stateless is not None:
            runner = self._stateless
            return lambda value, at: runner.process(
                value, datetime.fromtimestamp(at.timestamp_ms / 1000, UTC)
            )
        restoring = self._restoring.get(partition)
        if restoring is None:
            return None
        while not restoring.done():
            # However long that takes: the watchdog looks after the rebuild itself.
            await asyncio.wait({restoring}, timeout=1.0)
            still_alive()
        return None if restoring.cancelled() else self._memory[partition].process

    async def _restore(self, partition: int) -> None:
        """Bring the memory of a partition up to the end of the output topic, and publish what is missing."""
        assert isinstance(self._stage, StatefulStage)
        memory = self._memory.setdefault(partition, PartitionMemory(self._stage))
        name = self._stage.name

        def apply(message: Any) -> None:
            self._metrics.restored_records.labels(name).inc()
            memory.restore(message.value, list(message.headers))

        with self._watchdog.work(f"rebuilding {name}[{partition}]") as still_alive:
            said_at = time.monotonic()
            self._metrics.restore.started(partition, memory.next_offset)

            def progress(position: int, end: int) -> None:
                nonlocal said_at
                self._metrics.restore.progress(partition, position, end)
                if position != memory.next_offset:
                    memory.next_offset = position
                    still_alive()
                if time.monotonic() - said_at > 5:
                    said_at = time.monotonic()
                    log.info("%s[%d]: rebuilding, %d of %d records", name, partition, position, end)

            try:
                memory.next_offset = await read_to_end(
                    self._settings,
                    self._sink.name,
                    partition,
                    memory.next_offset,
                    apply,
                    progress,
                    self._settings.stuck_after_s,
                )
                await self._confirm([await self._send(record) for record in memory.repair()])
                self._metrics.state.measure(partition, memory.state)
            except asyncio.CancelledError:
                del self._memory[partition]  # it may hold repairs that were never confirmed
                raise
            except Exception as error:
                log.exception("%s[%d]: the state cannot be rebuilt", name, partition)
                end_process(str(error))
        gc.freeze()  # a hundred thousand stories are no garbage: do not look them through again and again
        log.info("%s[%d]: ready at offset %d", name, partition, memory.next_offset)

    async def _send(
        self, record: Record, origin: Origin | None = None, message: Any = None
    ) -> Awaitable[Any]:
        value = encode(record)
        headers = headers_of(self._sink, self._stage.name, record, value, origin)
        if message is not None and isinstance(self._stage, StatefulStage):
            headers.append(Position.of(message).header())
        return await self._send_to(
            self._sink.name, self._sink.key_of(record), value, self._sink.partition_of(record), headers
        )

    async def _send_dead(self, message: Any, failure: Failure) -> Awaitable[Any]:
        headers = dead_letters.headers_of(
            failure,
            stage=self._stage.name,
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            original=_headers(message),
        )
        return await self._send_to(self._dead.name, message.key, message.value, None, headers)

    async def _send_to(
        self, name: str, key: bytes | None, value: bytes | None, partition: int | None, headers: Headers
    ) -> Awaitable[Any]:
        sent = await self._app.producer.send(name, key, value, partition, None, headers)
        # The producer goes on with the next record when one has failed: it must not come to that.
        cast("asyncio.Future[Any]", sent).add_done_callback(_end_if_failed)
        return sent

    def _origin(self, message: Any) -> Origin:
        """Return what the records that follow from a message carry on."""
        read = raw_origin if self._stage.source == RAW else origin_of
        timestamp_ms = int(message.timestamp * 1000)
        return read(_headers(message), message.topic, message.partition, message.offset, timestamp_ms)

    async def _confirm(self, sends: list[Awaitable[Any]]) -> None:
        try:
            confirmed = await asyncio.gather(*sends)
        except Exception as error:
            raise InfrastructureError(f"The cluster did not confirm a record: {error!r}.") from error
        for written in confirmed:
            if written.topic == self._sink.name and written.partition in self._memory:
                self._memory[written.partition].wrote(written.offset)
        self._metrics.records.labels(self._stage.name).inc(len(sends))

    def _not_ready(self) -> str | None:
        """Return what the service still waits for, or None."""
        if not self._warm:
            return "loading"
        if self._assignment == 0:
            return "no partitions assigned yet"
        if self._halted is not None:
            return f"the circuit breaker has stopped it: {self._halted}"
        rebuilding = self._rebuilding()
        return f"rebuilding the state of partitions {rebuilding}" if rebuilding else None

    def _rebuilding(self) -> list[int]:
        return sorted(partition for partition, task in self._restoring.items() if not task.done())


def _end_if_failed(sent: asyncio.Future[Any]) -> None:
    if not sent.cancelled() and sent.exception() is not None:
        end_process(f"The cluster did not confirm a record: {sent.exception()!r}")


def _headers(message: Any) -> Headers:
    """Return the message's headers as a list: Faust gives a mapping, a list or None."""
    headers = message.headers or []
    return list(headers.items() if isinstance(headers, Mapping) else headers)
