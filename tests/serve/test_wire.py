import msgpack
import numpy as np
import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nitrogen.errors import ServeError
from nitrogen.serve import wire

FRAME = np.zeros((256, 256, 3), np.uint8)


@given(actions=strategies.actions())
def test_plans_round_trip(actions):
    reply = wire.read_reply(wire.encode_plan(actions))
    back = wire.read_plan(reply, len(actions))
    np.testing.assert_array_equal(back.buttons, actions.buttons)
    np.testing.assert_array_equal(back.sticks, actions.sticks)


@given(
    array=hnp.arrays(
        st.sampled_from([np.uint8, np.float32, np.float64]),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
    )
)
def test_arrays_round_trip(array):
    back = wire.decode_array(msgpack.unpackb(msgpack.packb(wire.encode_array(array))))
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_requests_are_read():
    act = wire.encode({"v": 1, "op": "act", "frame": wire.encode_array(FRAME)})
    assert len(act) < wire.MAX_MESSAGE
    np.testing.assert_array_equal(wire.read_request(act).frame, FRAME)
    assert wire.read_request(wire.encode({"v": 1, "op": "reset", "seed": 7})).seed == 7
    assert wire.read_request(wire.encode({"v": 1, "op": "info"})).op == "info"


def array(**changes):
    return {"dtype": "uint8", "shape": [1], "data": b"x", **changes}


@pytest.mark.parametrize(
    "value",
    [
        None, [], {}, array(dtype="object"), array(dtype="|O8"), array(dtype=3), array(shape=[2]),
        array(shape=[-1]), array(shape=[True]), array(shape="1"), array(shape=[1] * 5),
        array(data="x"), array(data=b""), array(extra=1), array(shape=[2**20] * 4),
        array(dtype="float64"), array(shape=[1.0]),
    ],
)  # fmt: skip
def test_bad_arrays_are_refused(value):
    with pytest.raises(ServeError):
        wire.decode_array(value)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ({}, "version 1"),
        ({"v": 2, "op": "info"}, "version 1"),
        ({"v": 1, "op": "explode"}, "op must be"),
        ({"v": 1, "op": ["act"]}, "op must be"),
        ({"v": 1, "op": "info", "frame": 1}, "does not take frame"),
        ({"v": 1, "op": "act"}, "an array is a map"),
        ({"v": 1, "op": "act", "frame": wire.encode_array(FRAME[:3])}, "a frame is"),
        (
            {"v": 1, "op": "act", "frame": wire.encode_array(FRAME[..., 0].astype(np.float32))},
            "a frame is",
        ),
        ({"v": 1, "op": "act", "frame": wire.encode_array(FRAME), "committed": []}, "a map of"),
        (
            {
                "v": 1,
                "op": "act",
                "frame": wire.encode_array(FRAME),
                "committed": {
                    "buttons": wire.encode_array(np.zeros((1, 17), np.float32)),
                    "sticks": wire.encode_array(np.full((1, 4), np.nan, np.float32)),
                },
            },
            "committed are no actions",
        ),
        ({"v": 1, "op": "reset", "seed": -1}, "seed must be"),
        ({"v": 1, "op": "reset", "seed": 2**63}, "seed must be"),
        ({"v": 1, "op": "reset", "seed": True}, "seed must be"),
    ],
)
def test_bad_requests_are_refused(message, says):
    with pytest.raises(ServeError, match=says):
        wire.read_request(wire.encode(message))


@pytest.mark.parametrize(
    "data",
    [
        "text", b"", b"\xc1", b"\x01", b"\x93\x01", b"\x81\x01\x02", b"\xdf\xff\xff\xff\xff",
        b"\x91" * 100_000, b"\x81\xa1k" * 2000, b"\xc6\xff\xff\xff\xff", b"\xa2\xff\xfe",
        bytes(wire.MAX_MESSAGE + 1), b"\xd6\xff\xff\xff\xff\xff",
    ],
)  # fmt: skip
def test_bad_bytes_are_refused(data):
    with pytest.raises(ServeError):
        wire.decode(data)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_named_error(data):
    for read in (wire.read_request, wire.read_reply):
        try:
            read(data)
        except ServeError:
            continue


def info(**changes):
    return {**wire.Info(name="x", horizon=4).to_values(), **changes}


def as_sent(values):
    return wire.decode(wire.encode(values))


def test_infos_that_fit_are_taken():
    assert wire.check_info(as_sent(info()), horizon=4).horizon == 4
    assert wire.check_info(as_sent(info(horizon=9)), horizon=None).horizon == 9


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"buttons": ["a"]}, "buttons"),
        ({"sticks": ["left_y", "left_x", "right_x", "right_y"]}, "sticks"),
        ({"y": "up"}, "'up'"),
        ({"horizon": 5}, "horizon is 5, ours 4"),
        ({"horizon": "4"}, "horizon"),
        ({"version": 2}, "version is 2"),
        ({"preprocessing_sha256": "0"}, "preprocessing_sha256"),
    ],
)
def test_infos_that_differ_are_refused(changes, says):
    with pytest.raises(ServeError, match=says):
        wire.check_info(as_sent(info(**changes)), horizon=4)


def test_refusals_carry_the_servers_words():
    with pytest.raises(ServeError, match="no cake"):
        wire.read_reply(wire.encode_error("no cake"))
