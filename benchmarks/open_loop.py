"""A generator of load that does not wait for answers before it asks again, as people do not.

Requests start on a clock, whatever became of those before; a latency counts from when its
request was due. It runs as a process of its own: `python -m benchmarks.open_loop PLAN`, where
the plan is JSON, `{host, port, rate, seconds, paths}`; it prints what came of it as JSON.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections import deque
from itertools import cycle
from pathlib import Path
from typing import Any

_GRACE_SECONDS = 20.0


class _Connection:
    """One kept-alive HTTP/1.1 connection: just enough for answers with Content-Length."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> tuple[int, int]:
        """The status, and how many bytes the body has."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].split("\r\n", 1)[0])
        await reader.readexactly(length)
        return int(head.split(" ", 2)[1]), length

    def drop(self) -> None:
        """Begin anew with the next request."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


class _Load:
    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.free: deque[_Connection] = deque()
        self.latencies: list[float] = []
        self.statuses: dict[int, int] = {}
        self.bytes = 0
        self.most_at_once = self.at_once = 0

    async def run(self) -> None:
        count = int(self.plan["rate"] * self.plan["seconds"])
        begun = time.perf_counter()
        asked = []
        for number, path in zip(range(count), cycle(self.plan["paths"]), strict=False):
            due = begun + number / self.plan["rate"]
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            asked.append(asyncio.create_task(self._ask(path, due)))
        await asyncio.wait(asked, timeout=_GRACE_SECONDS)

    async def _ask(self, path: str, due: float) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        connection = self.free.pop() if self.free else _Connection(self.plan["host"], self.plan["port"])
        try:
            status, length = await connection.get(path)
        except (OSError, asyncio.IncompleteReadError, ValueError):
            connection.drop()
            status, length = 0, 0
        self.latencies.append(time.perf_counter() - due)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.bytes += length
        self.at_once -= 1
        self.free.append(connection)


def main() -> None:
    """Run the plan and print `{asked, answered, p50, p95, p99, worst, statuses, bytes, at_once, cpu}`, ms and s."""
    load = _Load(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    asyncio.run(load.run())
    times = sorted(load.latencies)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    result = {
        "asked": int(load.plan["rate"] * load.plan["seconds"]),
        "answered": len(times),
        **{
            f"p{part}": round(1000 * times[min(len(times) - 1, len(times) * part // 100)], 2)
            for part in (50, 95, 99)
        },
        "worst": round(1000 * times[-1], 2),
        "statuses": load.statuses,
        "bytes": load.bytes,
        "at_once": load.most_at_once,
        "cpu": round(usage.ru_utime + usage.ru_stime, 3),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
