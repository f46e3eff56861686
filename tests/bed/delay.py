"""A slow or broken connection to a machine: a relay on loopback that delivers data later."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from typing_extensions import Self

    # Chunks, and the time at which each is due. An empty chunk is the end.
    _Queue = asyncio.Queue[tuple[float, bytes]]

CHUNK = 1 << 16
# Chunks in transit before the sender has to wait. No connection of the tests needs so many.
UNDER_WAY = 1024
# How many delays have passed when the remote end has accepted a connection and may send: there,
# back, and there again.
HANDSHAKE = 3


class delayed:  # noqa: N801 - read as `with delayed(...) as link`
    """A slow connection to an address, at `127.0.0.1` and `port`, in a `with` block.

    It adds `milliseconds` in each direction, also to the handshake, and limits nothing else. `cut`
    ends all connections, as a reboot does. After `freeze` all data is lost, until `thaw`.
    """

    port: int

    def __init__(self, host: str, port: int, *, milliseconds: float) -> None:
        self._target = (host, port)
        self._delay = milliseconds / 1000
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._flows = asyncio.Event()
        self._relays: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Reset every connection on both sides. New connections are accepted."""
        self._do(self._reset())

    def freeze(self) -> None:
        """Deliver nothing, on present and later connections. They are accepted and stay open."""
        self._do(self._set_flow(flows=False))

    def thaw(self) -> None:
        """Deliver again, beginning with the data that was held back."""
        self._do(self._set_flow(flows=True))

    def _do(self, work: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self) -> None:
        self._flows.set()
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0, backlog=256)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        await self._reset()

    async def _reset(self) -> None:
        relays = tuple(self._relays)
        for relay in relays:
            relay.cancel()
        await asyncio.gather(*relays, return_exceptions=True)

    async def _set_flow(self, *, flows: bool) -> None:
        if flows:
            self._flows.set()
        else:
            self._flows.clear()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relay = asyncio.ensure_future(self._carry(reader, writer))
        self._relays.add(relay)
        await asyncio.gather(relay, return_exceptions=True)
        self._relays.discard(relay)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection until both sides have ended it."""
        sides, up, down = [writer], _queue(), _queue()
        # At once, so that data which the client sends in the meantime gets its real time.
        tasks = [asyncio.ensure_future(self._take(reader, up))]
        try:
            await asyncio.sleep(HANDSHAKE * self._delay)
            await self._flows.wait()
            far_reader, far = await asyncio.open_connection(*self._target)
            sides.append(far)
            others = (self._give(up, far), self._take(far_reader, down), self._give(down, writer))
            tasks += [asyncio.ensure_future(each) for each in others]
            await asyncio.gather(*tasks)
        except (OSError, asyncio.CancelledError):
            for side in sides:
                _reset(side)
        finally:
            for side in sides:
                side.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, queue: _Queue) -> None:
        """Read data, and note when it is due."""
        data = b"-"
        while data:
            data = await reader.read(CHUNK)
            await queue.put((self._loop.time() + self._delay, data))

    async def _give(self, queue: _Queue, writer: asyncio.StreamWriter) -> None:
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0, due - self._loop.time()))
            await self._flows.wait()
            if not data:
                writer.write_eof()
                return
            writer.write(data)
            await writer.drain()


def _queue() -> _Queue:
    return asyncio.Queue(UNDER_WAY)


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
