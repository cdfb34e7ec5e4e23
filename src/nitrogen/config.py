"""Frozen dataclass ⇄ JSON, strictly.

A saved configuration carries `"format"`. Reading refuses unknown, missing and ill-typed keys; there
is no key that is optional "for old files".
"""

import dataclasses
import difflib
import json
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from nitrogen.errors import ConfigError

T = TypeVar("T")


def to_json(config: Any, *, format: str) -> str:
    """The dataclass as indented JSON, marked with `format`, for example `nitrogen.model/1`."""
    values = {"format": format, **dataclasses.asdict(config)}
    return json.dumps(values, indent=2, default=_path_as_text) + "\n"


def read(path: Path, kind: type[T], *, format: str) -> T:
    """Read a dataclass of type `kind` from a JSON file that `to_json` wrote.

    Raises ConfigError, naming file and key, if anything is missing, unknown or ill-typed.
    """
    try:
        values = json.loads(path.read_text())
    except FileNotFoundError:
        raise ConfigError(f"no file {path}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected a JSON object, found {type(values).__name__}")
    found = values.pop("format", None)
    if found != format:
        raise ConfigError(f"{path}: expected format {format!r}, found {found!r}")
    return from_dict(kind, values, where=str(path))


def _path_as_text(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a configuration cannot hold {value!r}")


def from_dict(kind: type[T], values: dict[str, Any], *, where: str) -> T:
    """Build the dataclass `kind` from plain values; `where` names the place in error messages."""
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: expected an object, found {type(values).__name__}")
    hints = typing.get_type_hints(kind)
    known = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    unknown, missing = sorted(set(values) - set(known)), sorted(set(known) - set(values))
    if unknown:
        near = [hit for name in unknown for hit in difflib.get_close_matches(name, known, n=1)]
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise ConfigError(f"{where}: unknown keys {unknown}; known keys: {sorted(known)}{hint}")
    if missing:
        raise ConfigError(f"{where}: missing keys {missing}")
    return kind(**{name: _value(hints[name], values[name], f"{where}: {name}") for name in known})


def _value(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        (only,) = (argument for argument in arguments if argument is not type(None))
        return None if value is None else _value(only, value, where)
    if origin is typing.Literal:
        if value not in arguments:
            raise ConfigError(f"{where}: must be one of {list(arguments)}, not {value!r}")
        return value
    if origin is tuple:
        return _tuple(arguments, value, where)
    if dataclasses.is_dataclass(hint):
        return from_dict(hint, value, where=where)  # type: ignore[arg-type]
    return _plain(hint, value, where)


def _tuple(arguments: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ConfigError(f"{where}: expected a list, found {value!r}")
    kinds = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
    if len(kinds) != len(value):
        raise ConfigError(f"{where}: expected {len(kinds)} values, found {len(value)}")
    return tuple(_value(kind, item, where) for kind, item in zip(kinds, value, strict=True))


def _plain(hint: Any, value: Any, where: str) -> Any:
    accepted = {float: (int, float), Path: (str, Path)}.get(hint, (hint,))
    if not isinstance(value, accepted) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"{where}: expected {hint.__name__}, found {value!r}")
    return hint(value)
