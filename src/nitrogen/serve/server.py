"""Offer a policy over WebSocket to several clients at once.

Knows sockets, clients and batches; knows nothing of networks: it is given a `BatchPolicy`. Each
client has its own noise and history; requests that arrive together are planned together.
"""

import asyncio
import hmac
import http
import json
import logging
import signal
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import numpy as np
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response

from nitrogen.actions import Actions, Frame
from nitrogen.errors import NitrogenError, ServeError
from nitrogen.policy import BatchPolicy, ContinuingPolicy
from nitrogen.serve import wire
from nitrogen.serve.wire import FRAME_SHAPE, Info

log = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, kw_only=True)
class ServeConfig:
    """Where and how a policy is offered."""

    host: str = "127.0.0.1"
    """Address to listen on; anything but loopback lets others in, so give a token."""
    port: int = 8765
    """0 takes a free one."""
    token: str | None = None
    """Clients must send it as `Authorization: Bearer TOKEN`."""
    max_batch: int = 8
    """Requests that are planned together at most."""
    max_wait_ms: float = 5.0
    """How long a request waits for others, while clients that could send some are connected."""
    max_clients: int = 64
    timeout_s: float = 30.0
    """Limit for a plan, from request to reply, and for closing down."""


@dataclass
class _Waiting:
    """A request for a plan."""

    frame: Frame
    rng: np.random.Generator
    committed: Actions
    plan: asyncio.Future[Actions]


class PolicyServer:
    """Runs in a thread of its own between `start` and `close`; a context manager does both.

    `run` serves in the calling thread until the process is told to stop.
    """

    def __init__(self, policy: BatchPolicy, info: Info, config: ServeConfig) -> None:
        """Offer `policy`, described by `info`."""
        self._policy, self._config = policy, config
        self._info = replace(info, continues=isinstance(policy, ContinuingPolicy))
        self._queue: deque[_Waiting] = deque()
        self._clients = self._in_flight = 0
        self._ready = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: OSError | None = None
        self._started = threading.Event()
        self.port = config.port

    @property
    def url(self) -> str:
        """Where clients connect."""
        host = f"[{self._config.host}]" if ":" in self._config.host else self._config.host
        return f"ws://{host}:{self.port}"

    def start(self) -> Self:
        """Serve in a thread; returns once the port is open and the policy is warm.

        Raises ServeError if the port cannot be opened.
        """
        self._thread = threading.Thread(target=self._run_thread, name="policy-server", daemon=True)
        self._thread.start()
        self._started.wait()
        self._raise_failure()
        return self

    def close(self) -> None:
        """Answer what was asked, then stop; may be called twice."""
        if self._thread is None or self._loop is None:
            return
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(self._config.timeout_s + 5)
        self._thread = None

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM, then shut down gracefully."""
        asyncio.run(self._serve(signals=True))
        self._raise_failure()

    def _run_thread(self) -> None:
        try:
            asyncio.run(self._serve(signals=False))
        finally:
            self._started.set()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise ServeError(
                f"cannot listen on {self._config.host}:{self._config.port}: {self._failure};"
                " choose another port"
            ) from self._failure

    async def _serve(self, *, signals: bool) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._arrived = asyncio.Event()
        if signals:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._loop.add_signal_handler(number, self._stop.set)
        with ThreadPoolExecutor(1, "policy") as self._executor:
            try:
                server = await self._open()
            except OSError as error:
                self._failure = error
                return
            planner = asyncio.create_task(self._plan_batches())
            stop = asyncio.create_task(self._stop.wait())
            try:
                await self._warm_up()
                self._started.set()
                await asyncio.wait({planner, stop}, return_when=asyncio.FIRST_COMPLETED)
                if planner.done():
                    planner.result()  # a policy that breaks ends the server, loudly
                await self._drain()
            finally:
                self._ready = False
                server.close()
                await server.wait_closed()
                planner.cancel()
                stop.cancel()

    async def _drain(self) -> None:
        """Take no new clients or requests, and answer what was asked."""
        self._ready = False
        end = time.monotonic() + self._config.timeout_s
        while self._in_flight and time.monotonic() < end:
            await asyncio.sleep(0.01)

    async def _open(self) -> Server:
        if self._config.host not in LOOPBACK and self._config.token is None:
            log.warning("serving on %s without a token: anyone may connect", self._config.host)
        server = await serve(
            self._serve_client,
            self._config.host,
            self._config.port,
            process_request=self._answer_http,
            max_size=wire.MAX_MESSAGE,
            max_queue=4,
            compression=None,
            open_timeout=10,
            close_timeout=2,
            server_header=None,
        )
        self.port = next(iter(server.sockets)).getsockname()[1]
        log.info("serving %s at %s", self._info.name, self.url)
        return server

    async def _warm_up(self) -> None:
        frame = np.zeros(self._frame_shape, np.uint8)
        for count in sorted({1, self._config.max_batch}):
            rngs = [np.random.default_rng(0) for _ in range(count)]
            await self._plan([frame] * count, rngs, [Actions.released(0)] * count)
        self._ready = True

    @property
    def _frame_shape(self) -> tuple[int, ...]:
        return FRAME_SHAPE if self._info.frames == 1 else (self._info.frames, *FRAME_SHAPE)

    def _answer_http(self, connection: ServerConnection, request: HttpRequest) -> Response | None:
        """Plain HTTP questions, and who may open a WebSocket."""
        if request.path == "/health":
            if self._ready:
                return _response(http.HTTPStatus.OK, {"status": "ready"})
            return _response(http.HTTPStatus.SERVICE_UNAVAILABLE, {"status": "warming up"})
        if not self._is_allowed(request):
            return _response(http.HTTPStatus.UNAUTHORIZED, {"error": "wrong or missing token"})
        if request.path == "/metadata":
            return _response(http.HTTPStatus.OK, self._info.to_values())
        if request.path != "/":
            return _response(http.HTTPStatus.NOT_FOUND, {"error": "no such page"})
        if self._clients >= self._config.max_clients or not self._ready:
            return _response(http.HTTPStatus.SERVICE_UNAVAILABLE, {"error": "full or warming up"})
        return None

    def _is_allowed(self, request: HttpRequest) -> bool:
        if self._config.token is None:
            return True
        sent = request.headers.get_all("Authorization")
        wanted = f"Bearer {self._config.token}".encode()
        return len(sent) == 1 and hmac.compare_digest(sent[0].encode(), wanted)

    async def _serve_client(self, connection: ServerConnection) -> None:
        self._clients += 1
        client = _Client(self._info.frames)
        try:
            async for data in connection:
                self._in_flight += 1
                try:
                    await connection.send(await self._answer(client, data))
                finally:
                    self._in_flight -= 1
        except ConnectionClosed as closed:
            log.debug("client vanished: %s", closed)
        finally:
            self._clients -= 1
            self._arrived.set()  # nobody need wait for this client any more

    async def _answer(self, client: "_Client", data: bytes | str) -> bytes:
        try:
            request = wire.read_request(data)
            if request.op == "info":
                return wire.encode({"v": wire.VERSION, "ok": True, **self._info.to_values()})
            if request.op == "reset":
                client.reset(request.seed)
                return wire.encode({"v": wire.VERSION, "ok": True})
            assert request.frame is not None
            seen = client.see(request.frame)
            return wire.encode_plan(await self._wait_for_plan(seen, client.rng, request.committed))
        except NitrogenError as error:
            return wire.encode_error(str(error))
        except TimeoutError:
            return wire.encode_error(f"no plan within {self._config.timeout_s:g} s")

    async def _wait_for_plan(
        self, frame: Frame, rng: np.random.Generator, committed: Actions
    ) -> Actions:
        if not self._ready:
            raise ServeError("the server is shutting down")
        if len(committed) and not self._info.continues:
            raise ServeError("this policy cannot plan on from committed actions")
        if len(committed) >= self._info.horizon:
            raise ServeError(
                f"{len(committed)} committed actions leave nothing to plan; a plan has"
                f" {self._info.horizon}"
            )
        waiting = _Waiting(frame, rng, committed, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._arrived.set()
        async with asyncio.timeout(self._config.timeout_s):
            return await waiting.plan

    async def _plan_batches(self) -> None:
        while True:
            await self._gather()
            batch: list[_Waiting] = []
            while self._queue and len(batch) < self._config.max_batch:
                waiting = self._queue.popleft()
                if not waiting.plan.done():  # its client may have vanished
                    batch.append(waiting)
            if not batch:
                continue
            try:
                plans = await self._plan(
                    [w.frame for w in batch],
                    [w.rng for w in batch],
                    [w.committed for w in batch],
                )
            except NitrogenError as error:
                for waiting in batch:
                    if not waiting.plan.done():
                        waiting.plan.set_exception(ServeError(f"the policy failed: {error}"))
                continue
            for waiting, plan in zip(batch, plans, strict=True):
                if not waiting.plan.done():
                    waiting.plan.set_result(plan)

    async def _gather(self) -> None:
        """Wait for a request, then a little for others, unless every client waits already."""
        while not self._queue:
            self._arrived.clear()
            await self._arrived.wait()
        assert self._loop is not None
        end = self._loop.time() + self._config.max_wait_ms / 1000
        while len(self._queue) < min(self._clients, self._config.max_batch):
            left = end - self._loop.time()
            if left <= 0:
                return
            self._arrived.clear()
            try:
                async with asyncio.timeout(left):
                    await self._arrived.wait()
            except TimeoutError:
                return

    async def _plan(
        self, frames: list[Frame], rngs: list[np.random.Generator], committed: list[Actions]
    ) -> list[Actions]:
        assert self._loop is not None
        if not isinstance(self._policy, ContinuingPolicy):
            return await self._loop.run_in_executor(
                self._executor, self._policy.act_batch, frames, rngs
            )
        return await self._loop.run_in_executor(
            self._executor, self._policy.continue_batch, frames, rngs, committed
        )


class _Client:
    """State of one client: its noise, and the frames it has shown."""

    def __init__(self, frames: int) -> None:
        self._history: deque[Frame] = deque(maxlen=frames)
        self.reset(0)

    def reset(self, seed: int) -> None:
        self._history.clear()
        self.rng = np.random.default_rng(seed)

    def see(self, frame: Frame) -> Frame:
        """What the policy is shown: the frame, or with its history (F, H, W, 3)."""
        self._history.append(frame)
        if self._history.maxlen == 1:
            return frame
        missing = (self._history.maxlen or 1) - len(self._history)
        return np.stack([self._history[0]] * missing + list(self._history))


def _response(status: http.HTTPStatus, content: dict[str, object]) -> Response:
    body = json.dumps(content).encode()
    headers = Headers([("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    headers["Connection"] = "close"
    return Response(status.value, status.phrase, headers, body)
