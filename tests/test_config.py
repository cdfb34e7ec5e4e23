import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nitrogen import config
from nitrogen.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Inner:
    rate: float = 0.5
    names: tuple[str, ...] = ("a",)


@dataclass(frozen=True, kw_only=True)
class Outer:
    count: int = 1
    flag: bool = False
    kind: Literal["x", "y"] = "x"
    size: tuple[int, int] = (1, 2)
    limit: float | None = None
    where: Path = Path("here")
    inner: Inner = field(default_factory=Inner)


FORMAT = "test/1"

outers = st.builds(
    Outer,
    count=st.integers(),
    flag=st.booleans(),
    kind=st.sampled_from(["x", "y"]),
    size=st.tuples(st.integers(), st.integers()),
    limit=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    where=st.just(Path("a/b")),
    inner=st.builds(
        Inner,
        rate=st.floats(allow_nan=False, allow_infinity=False),
        names=st.lists(st.text(), max_size=3).map(tuple),
    ),
)


@given(outers)
def test_round_trip(value):
    values = json.loads(config.to_json(value, format=FORMAT))
    values.pop("format")

    assert config.from_dict(Outer, values, where="here") == value


def changed(tmp_path: Path, **changes: object) -> Path:
    values = json.loads(config.to_json(Outer(), format=FORMAT)) | changes
    path = tmp_path / "config.json"
    path.write_text(json.dumps({key: value for key, value in values.items() if value != "gone"}))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cuont": 2}, r"unknown keys \['cuont'\].*did you mean count\?"),
        ({"count": "gone"}, r"missing keys \['count'\]"),
        ({"count": 1.5}, "count: expected int, found 1.5"),
        ({"count": True}, "count: expected int, found True"),
        ({"flag": 1}, "flag: expected bool"),
        ({"kind": "z"}, r"must be one of \['x', 'y'\]"),
        ({"size": [1]}, "expected 2 values, found 1"),
        ({"size": 3}, "expected a list"),
        ({"inner": 3}, "inner: expected an object"),
        ({"inner": {"rate": "fast", "names": []}}, "inner: rate: expected float"),
        ({"format": "test/2"}, "expected format 'test/1', found 'test/2'"),
    ],
)
def test_bad_files_are_refused_by_key(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        config.read(changed(tmp_path, **changes), Outer, format=FORMAT)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00"])
def test_damaged_files_are_refused(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match="config"):
        config.read(path, Outer, format=FORMAT)
    with pytest.raises(ConfigError, match="no file"):
        config.read(tmp_path / "missing.json", Outer, format=FORMAT)
