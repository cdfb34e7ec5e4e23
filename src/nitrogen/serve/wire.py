"""Messages between a policy server and its clients: msgpack maps and plain arrays.

Knows the form of messages and what a client and a server must agree on. Knows no sockets and no
policy. The protocol is described for other languages in docs/reference/wire.md.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import prod
from typing import Any

import msgpack  # type: ignore[import-untyped]  # it has no stubs
import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import BUTTONS, FRAME_SIZE, STICKS, Actions, Frame
from nitrogen.errors import ActionsError, ServeError

VERSION = 1
MAX_MESSAGE = 2**20
"""Bytes of the largest message that is accepted; a frame takes 196,608."""

FRAME_SHAPE = (FRAME_SIZE, FRAME_SIZE, 3)
PREPROCESSING = {
    "shape": list(FRAME_SHAPE),
    "dtype": "uint8",
    "channels": "RGB",
    "resize": "whole picture squashed, area average",
}
"""What a client does to a picture before it sends it."""

_DTYPES = {name: np.dtype(name).newbyteorder("<") for name in ("uint8", "float32", "float64")}
_OPERATIONS = ("info", "reset", "act")


@dataclass(frozen=True, kw_only=True)
class Info:
    """What a server tells about itself; a client refuses one that does not fit."""

    name: str
    """Of the policy, for people."""
    horizon: int
    """Actions in a plan."""
    rate_hz: float = 60.0
    """Actions per second that the policy was made for."""
    frames: int = 1
    """Frames that the policy looks at; the server keeps the history."""
    continues: bool = False
    """Whether plans can begin with committed actions."""
    version: int = VERSION
    buttons: tuple[str, ...] = BUTTONS
    sticks: tuple[str, ...] = STICKS
    y: str = "down"
    """Where a positive y of a stick points."""
    preprocessing_sha256: str = ""
    """Hash of what the client must do to a picture; see `preprocessing_hash`."""

    def to_values(self) -> dict[str, Any]:
        """Plain values, for messages and `/metadata`."""
        described = asdict(self) | {"preprocessing": PREPROCESSING}
        return described | {"preprocessing_sha256": preprocessing_hash()}


def preprocessing_hash() -> str:
    """SHA-256 of PREPROCESSING as JSON with sorted keys and no spaces."""
    text = json.dumps(PREPROCESSING, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def check_info(values: Mapping[str, Any], *, horizon: int | None) -> Info:
    """What a server said about itself; ServeError, listing all differences, if it does not fit.

    horizon: how many actions the client expects in a plan; None takes any.
    """
    ours = {
        "version": VERSION,
        "buttons": list(BUTTONS),
        "sticks": list(STICKS),
        "y": "down",
        "preprocessing_sha256": preprocessing_hash(),
    }
    if horizon is not None:
        ours["horizon"] = horizon
    problems = [
        f"its {key} is {values.get(key)!r}, ours {wanted!r}"
        for key, wanted in ours.items()
        if values.get(key) != wanted
    ]
    found = values.get("horizon")
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        problems.append(f"its horizon is {found!r}")
    if problems:
        raise ServeError(f"this server does not fit: {'; '.join(problems)}")
    return Info(
        name=str(values.get("name", "")),
        horizon=int(values["horizon"]),
        rate_hz=float(values.get("rate_hz", 60.0)),
        frames=int(values.get("frames", 1)),
        continues=values.get("continues") is True,
    )


@dataclass(frozen=True)
class Request:
    """A request that has been checked."""

    op: str
    frame: Frame | None = None
    """For `act`: (256, 256, 3) uint8."""
    committed: Actions = field(default_factory=lambda: Actions.released(0))
    """For `act`: what the plan must begin with."""
    seed: int = 0
    """For `reset`: of the noise."""


def encode(message: Mapping[str, Any]) -> bytes:
    """A message as bytes."""
    packed: bytes = msgpack.packb(message, use_bin_type=True)
    return packed


def decode(data: bytes | str) -> dict[str, Any]:
    """The map in a message; ServeError if there is none, or it is too large."""
    if isinstance(data, str):
        raise ServeError("messages are binary msgpack, not text")
    if len(data) > MAX_MESSAGE:
        raise ServeError(f"a message of {len(data)} bytes is over the limit of {MAX_MESSAGE}")
    try:
        message = msgpack.unpackb(data, raw=False, strict_map_key=True)
    except (msgpack.UnpackException, ValueError, OverflowError) as error:
        raise ServeError(f"not a msgpack message: {type(error).__name__}") from error
    if not isinstance(message, dict):
        raise ServeError(f"a message is a map, not {type(message).__name__}")
    return message


def encode_array(array: NDArray[Any]) -> dict[str, Any]:
    """An array as `dtype`, `shape` and little-endian, C-ordered `data`."""
    kind = _DTYPES[str(array.dtype)]
    data = np.ascontiguousarray(array, kind).tobytes()
    return {"dtype": str(array.dtype), "shape": list(array.shape), "data": data}


def decode_array(value: Any, *, limit: int = MAX_MESSAGE) -> NDArray[Any]:
    """The array of an encoded one; ServeError if it is ill-formed or over `limit` bytes."""
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data"}:
        raise ServeError("an array is a map of dtype, shape and data")
    dtype, shape, data = value["dtype"], value["shape"], value["data"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise ServeError(f"an array's dtype is one of {', '.join(_DTYPES)}")
    if not isinstance(shape, list) or len(shape) > 4 or not all(map(_is_size, shape)):
        raise ServeError("an array's shape is a list of at most 4 sizes")
    size = prod(shape) * _DTYPES[dtype].itemsize
    if not isinstance(data, bytes) or size > limit or len(data) != size:
        raise ServeError(f"an array of this dtype and shape has {size} bytes of data")
    return np.frombuffer(data, _DTYPES[dtype]).reshape(shape)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_MESSAGE


def read_request(data: bytes | str) -> Request:
    """The request in a message; ServeError says what is wrong with it."""
    message = decode(data)
    if message.get("v") != VERSION:
        raise ServeError(
            f"this server speaks version {VERSION}; the message must hold v: {VERSION}"
        )
    op = message.get("op")
    if op not in _OPERATIONS:
        raise ServeError(f"op must be one of {', '.join(_OPERATIONS)}")
    allowed = {"v", "op", *{"act": ["frame", "committed"], "reset": ["seed"]}.get(op, [])}
    if unknown := set(message) - allowed:
        raise ServeError(f"{op} does not take {', '.join(sorted(map(str, unknown))[:5])}")
    if op == "reset":
        seed = message.get("seed", 0)
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
            raise ServeError("seed must be a whole number from 0 to 2^63 - 1")
        return Request(op, seed=seed)
    if op == "info":
        return Request(op)
    frame = _read_frame(message.get("frame"))
    if "committed" not in message:
        return Request(op, frame=frame)
    return Request(op, frame=frame, committed=_read_actions(message["committed"], "committed"))


def _read_frame(value: Any) -> Frame:
    frame = decode_array(value)
    if frame.dtype != np.uint8 or frame.shape != FRAME_SHAPE:
        raise ServeError(f"a frame is {FRAME_SHAPE} uint8, not {frame.shape} {frame.dtype}")
    return frame


def encode_actions(actions: Actions) -> dict[str, Any]:
    """Actions as a map of two arrays."""
    return {"buttons": encode_array(actions.buttons), "sticks": encode_array(actions.sticks)}


def _read_actions(value: Any, name: str) -> Actions:
    if not isinstance(value, dict) or set(value) != {"buttons", "sticks"}:
        raise ServeError(f"{name} must be a map of buttons and sticks")
    arrays = {key: decode_array(array) for key, array in value.items()}
    try:
        return Actions(**arrays)
    except ActionsError as error:
        raise ServeError(f"{name} are no actions: {error}") from error


def encode_plan(plan: Actions) -> bytes:
    """The reply to `act`."""
    return encode({"v": VERSION, "ok": True, **encode_actions(plan)})


def encode_error(text: str) -> bytes:
    """The reply to a request that could not be answered."""
    return encode({"v": VERSION, "ok": False, "error": text})


def read_reply(data: bytes | str) -> dict[str, Any]:
    """The content of a reply; ServeError with the server's words if it is an error."""
    message = decode(data)
    if message.get("v") != VERSION or not isinstance(message.get("ok"), bool):
        raise ServeError("this is not the reply of a policy server of our version")
    if not message["ok"]:
        raise ServeError(f"the server refused: {message.get('error')}")
    return message


def read_plan(message: Mapping[str, Any], horizon: int) -> Actions:
    """The plan in a reply to `act`; ServeError if it is not one of `horizon` actions."""
    arrays = {key: message.get(key) for key in ("buttons", "sticks")}
    plan = _read_actions(arrays, "the plan that the server sent")
    if len(plan) != horizon:
        raise ServeError(f"the server sent {len(plan)} actions, not {horizon}")
    return plan
