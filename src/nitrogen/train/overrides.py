"""Changing single fields of a configuration by name: `--optim.learning-rate 1e-5`.

Works on any tree of frozen dataclasses. A name that does not exist is refused with the nearest one.
"""

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from nitrogen.errors import ConfigError

T = TypeVar("T")
NONE = ("none", "null")

ELSEWHERE = {
    "lr": "optim.learning-rate",
    "batch-size": "batch",
    "per-device-train-batch-size": "batch",
    "num-epochs": "epochs",
    "num-train-epochs": "epochs",
    "max-steps": "steps",
    "save-steps": "save-every",
    "eval-steps": "validate-every",
    "logging-steps": "log-every",
    "gradient-accumulation-steps": "accumulate",
    "gradient-checkpointing": "recompute",
    "max-grad-norm": "optim.clip",
    "checkpoint": "start-from",
    "model": "start-from",
    "dataset": "data",
    "output-dir": "out",
}
"""What common trainers call it, and what it is called here."""


def apply(config: T, entries: Iterable[str], *, also: Iterable[str] = ()) -> T:
    """The configuration with the fields changed that `entries` (`section.field=value`) name.

    Dashes count as underscores; a bare name sets a switch; lists are separated by commas; `none`
    empties a field that may be empty. also: other options, which a misspelt name may have meant.
    Raises ConfigError on a name or value that does not fit.
    """
    for entry in entries:
        name, given, text = entry.partition("=")
        path = name.replace("-", "_").split(".")
        try:
            config = _changed(config, path, text if given else None, name)
        except _UnknownNameError:
            raise unknown(name, [*names(config), *also]) from None
    return config


def unknown(name: str, known: Iterable[str]) -> ConfigError:
    """The error for an option that does not exist, with the nearest that does."""
    plain = name.replace("_", "-")
    near = ELSEWHERE.get(plain.rpartition(".")[2]) or _nearest(plain, list(known))
    hint = f"; did you mean --{near}?" if near else ""
    return ConfigError(f"there is no option --{name}{hint} (--dry-run shows all of them)")


def _nearest(name: str, known: list[str]) -> str | None:
    """The name most alike as a whole, or else by its last part alone (`lr`, `batch-size`)."""
    whole = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    if whole:
        return whole[0]
    ends = {other.rpartition(".")[2]: other for other in reversed(known)}
    last = difflib.get_close_matches(name.rpartition(".")[2], ends, n=1, cutoff=0.6)
    return ends[last[0]] if last else None


def names(config: Any, prefix: str = "") -> list[str]:
    """Every field that can be changed, as written on a command line."""
    found: list[str] = []
    for field in dataclasses.fields(config):
        value, name = getattr(config, field.name), prefix + field.name.replace("_", "-")
        found += names(value, f"{name}.") if dataclasses.is_dataclass(value) else [name]
    return found


def _changed(config: T, path: list[str], text: str | None, name: str) -> T:
    fields = {field.name for field in dataclasses.fields(config)}  # type: ignore[arg-type]
    first, rest = path[0], path[1:]
    if first not in fields or dataclasses.is_dataclass(getattr(config, first)) != bool(rest):
        raise _UnknownNameError
    old = getattr(config, first)
    hint = typing.get_type_hints(type(config))[first]
    new = _changed(old, rest, text, name) if rest else _parsed(hint, text, name)
    return dataclasses.replace(config, **{first: new})  # type: ignore[type-var]


class _UnknownNameError(Exception):
    """Some part of a dotted name is no field."""


def _parsed(hint: Any, text: str | None, name: str) -> Any:
    if text is None:
        if hint is not bool:
            raise ConfigError(f"--{name} needs a value")
        return True
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if text.lower() in NONE:
            return None
        (only,) = (kind for kind in arguments if kind is not type(None))
        return _parsed(only, text, name)
    if origin is tuple:
        words = [word for word in text.split(",") if word]
        return tuple(_parsed(arguments[0], word, name) for word in words)
    if origin is typing.Literal:
        if text not in arguments:
            choices = ", ".join(map(str, arguments))
            raise ConfigError(f"--{name} must be one of {choices}, not {text!r}")
        return text
    return _plain(hint, text, name)


def _plain(hint: Any, text: str, name: str) -> Any:
    switches = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    try:
        if hint is bool:
            return switches[text.lower()]
        if hint in (int, float, str, Path):
            return hint(text)
    except (ValueError, KeyError):
        pass
    kind = {"int": "a whole number", "float": "a number", "bool": "true or false"}
    raise ConfigError(f"--{name} must be {kind.get(hint.__name__, hint.__name__)}, not {text!r}")
