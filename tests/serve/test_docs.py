"""The clients that the protocol's documentation shows."""

import re
from pathlib import Path

import numpy as np
from serving import frame, serve

from nitrogen.serve import wire
from nitrogen.serve.server import ServeConfig

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "wire.md").read_text()


def block(language):
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL).group(1)


def test_the_python_client_plays():
    code = block("python")
    assert len(code.strip().splitlines()) <= 32
    names = {}
    exec(compile(code, "wire.md", "exec"), names)
    with serve() as server:
        plans = list(names["play"](server.url, [frame(), frame()]))
    assert len(plans) == 2
    pressed, stick = plans[0]
    expected = np.random.default_rng(0).uniform(-1, 1, (3, 4))[:, :2]
    np.testing.assert_allclose(stick, expected, atol=1e-6)
    assert pressed.shape == (3,)


def test_the_lua_constant_is_an_act_request():
    literal = re.search(r"local ACT = (.*?)\nlocal", block("lua"), re.DOTALL).group(1)
    lines = re.findall(r'"([^"]*)"', literal)
    constant = "".join(lines).encode().decode("unicode_escape").encode("latin-1")
    pixels = np.arange(256 * 256 * 3, dtype=np.uint32).astype(np.uint8).reshape(256, 256, 3)
    request = wire.read_request(constant + pixels.tobytes())
    assert request.op == "act"
    np.testing.assert_array_equal(request.frame, pixels)


def test_limits_are_documented():
    config = ServeConfig()
    for value in (config.max_clients, config.max_batch):
        assert str(value) in PAGE
    for text in (f"{config.timeout_s:g} s", f"{config.max_wait_ms:g} ms", config.host):
        assert text in PAGE
