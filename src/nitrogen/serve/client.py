"""`RemotePolicy`: a policy on another machine, or in another process, used like a local one.

`RemoteBatchPolicy` plays several games with it. Needs no torch. Every wait has a limit; whatever
goes wrong is a ServeError.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import numpy as np
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.sync.client import ClientConnection, connect

from nitrogen.actions import Actions, Frame
from nitrogen.errors import ActionsError, ServeError
from nitrogen.serve import wire
from nitrogen.serve.wire import FRAME_SHAPE, Info


class RemotePolicy:
    """Follows `Policy`; the server keeps this client's noise and history apart from others'."""

    def __init__(
        self,
        url: str,
        *,
        seed: int = 0,
        horizon: int | None = None,
        token: str | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        """Connect to `url`, for example `ws://127.0.0.1:8765`, and check that the server fits.

        seed: of the noise; each `reset` starts it anew.
        horizon: refuse a server whose plans have another length; None takes any.
        token: what the server was started with, if it was.
        timeout_s: limit of every single wait.
        Raises ServeError if there is no server, or its action layout, horizon or preprocessing is
        not ours.
        """
        self._url, self._seed, self._horizon = url, seed, horizon
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._timeout_s = timeout_s
        self._stack = ExitStack()
        self._connection: ClientConnection | None = None
        self.info: Info = self._connect()

    def reset(self) -> None:
        """Start the episode's noise and history anew; connects again after an error."""
        if self._connection is None:
            found = self._connect()
            if found != self.info:
                self.close()
                raise ServeError(f"{self._url} now serves {found}, before it was {self.info}")
        self._ask({"op": "reset", "seed": self._seed})

    def act(self, frame: Frame) -> Actions:
        """The server's plan for `frame`, (256, 256, 3) uint8 RGB."""
        return self.continue_plan(frame, Actions.released(0))

    def continue_plan(self, frame: Frame, committed: Actions) -> Actions:
        """The server's plan for `frame` that begins with `committed`, for asynchronous play.

        Raises ServeError if the served policy cannot plan on from committed actions.
        """
        shape, dtype = getattr(frame, "shape", None), getattr(frame, "dtype", None)
        if shape != FRAME_SHAPE or dtype != "uint8":
            raise ActionsError(f"a frame must be {FRAME_SHAPE} uint8, not {shape} {dtype}")
        if len(committed) and not self.info.continues:
            raise ServeError(f"{self.info.name} cannot plan on from committed actions")
        request: dict[str, Any] = {"op": "act", "frame": wire.encode_array(frame)}
        if len(committed):
            request["committed"] = wire.encode_actions(committed)
        reply = self._ask(request)
        return wire.read_plan(reply, self.info.horizon)

    def close(self) -> None:
        """Say goodbye; may be called twice."""
        self._connection = None
        self._stack.close()

    def __enter__(self) -> Self:
        """The policy itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _connect(self) -> Info:
        try:
            opening = connect(
                self._url,
                additional_headers=self._headers,
                open_timeout=self._timeout_s,
                close_timeout=min(self._timeout_s, 1.0),
                max_size=wire.MAX_MESSAGE,
                compression=None,
                proxy=None,
            )
            self._connection = self._stack.enter_context(opening)
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
            raise ServeError(
                f"no policy server at {self._url}: {error}; start one with `nitrogen serve`"
            ) from error
        try:
            info = wire.check_info(self._ask({"op": "info"}), horizon=self._horizon)
            self._ask({"op": "reset", "seed": self._seed})
        except ServeError:
            self.close()
            raise
        return info

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._connection is None:
            raise ServeError(f"not connected to {self._url} any more; `reset` connects again")
        try:
            self._connection.send(wire.encode({"v": wire.VERSION, **request}))
            return wire.read_reply(self._connection.recv(timeout=self._timeout_s))
        except TimeoutError as error:
            self.close()  # a late reply must not be taken for the next one
            raise ServeError(
                f"{self._url} did not answer within {self._timeout_s:g} s; is it overloaded?"
            ) from error
        except (ConnectionClosed, OSError) as error:
            self.close()
            raise ServeError(f"{self._url} closed the connection: {error}") from error


class RemoteBatchPolicy:
    """Follows `BatchPolicy`: a connection per game, so that the server plans for all in one batch.

    A game is known by its generator, whose first draw seeds the noise that the server keeps for it.
    """

    def __init__(self, url: str, **options: Any) -> None:
        """Connect to `url` when the first game asks; options: those of `RemotePolicy` but seed."""
        self._url, self._options = url, options
        self._games: dict[int, tuple[np.random.Generator, RemotePolicy]] = {}

    def act_batch(
        self, frames: Sequence[Frame], rngs: Sequence[np.random.Generator]
    ) -> list[Actions]:
        """The server's plan for each frame, all asked for at once. Raises ServeError."""
        asking = {id(rng) for rng in rngs}
        for key in [key for key in self._games if key not in asking]:
            self._games.pop(key)[1].close()
        for rng in rngs:
            if id(rng) not in self._games:
                seed = int(rng.integers(2**31))
                self._games[id(rng)] = rng, RemotePolicy(self._url, seed=seed, **self._options)
        policies = [self._games[id(rng)][1] for rng in rngs]
        with ThreadPoolExecutor(len(policies)) as pool:
            return list(pool.map(RemotePolicy.act, policies, frames))

    def close(self) -> None:
        """Say goodbye; may be called twice."""
        for _, policy in self._games.values():
            policy.close()
        self._games.clear()
