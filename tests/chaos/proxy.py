"""A TCP proxy between the services and the broker: the network that the chaos test can cut."""

import asyncio
from contextlib import suppress

from services.runtime.broker.ports import HOST

CHUNK = 65_536
REFUSED_AFTER_S = 0.3
"""How long a connection lasts while the broker is down: clients that are told at once ask without pause."""


class Proxy:
    """Forwards connections on `port` to `target`. While it is cut nothing passes, and nobody is told."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self._target = target
        self._healthy = asyncio.Event()
        self._healthy.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.cuts = 0

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def cut(self) -> None:
        """Let nothing through from now on: packets are lost, connections stay open at both ends."""
        self.cuts += 1
        self._healthy.clear()

    def heal(self, *, reset: bool) -> None:
        """Let everything through again: what was on its way arrives late, or, with `reset`, never."""
        if reset:
            for writer in self._writers:
                writer.transport.abort()
        self._healthy.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with suppress(asyncio.CancelledError):  # by us, at the end: nothing to tell the server's log
                await self._healthy.wait()
                try:
                    await self._connect(reader, writer)
                except OSError:
                    await asyncio.sleep(REFUSED_AFTER_S)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream = await asyncio.open_connection(HOST, self._target)
        self._writers |= {writer, upstream}
        try:
            ways = {
                asyncio.create_task(self._pump(reader, upstream)),
                asyncio.create_task(self._pump(upstream_reader, writer)),
            }
            _, open_ways = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in open_ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            self._writers -= {writer, upstream}
            upstream.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._healthy.wait()
                writer.write(data)
                await writer.drain()
