"""The clients that the protocol's documentation shows."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
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


LUA = {**os.environ, "LUA_PATH": "/usr/share/lua/5.3/?.lua;/usr/share/lua/5.2/?.lua;;"}
"""Debian's lua-basexx, which lua-http needs, is not installed for Lua 5.3; it runs there."""


def has_lua():
    rocks = 'require "http.websocket"; require "MessagePack"'
    found = shutil.which("lua5.3")
    return found and not subprocess.run([found, "-e", rocks], env=LUA, check=False).returncode


def test_the_lua_client_plays(tmp_path):
    if not has_lua():
        pytest.skip(
            "needs lua5.3 with http and MessagePack: apt-get install lua5.3 lua-http "
            "lua-messagepack"
        )
    script = tmp_path / "play.lua"
    play = "local buttons, sticks = act(string.rep('\\255', 256 * 256 * 3))\n"
    play += "print(#buttons, #buttons[1], buttons[1][10], sticks[1][1], sticks[3][4])"
    with serve() as server:
        script.write_text(block("lua").replace("ws://127.0.0.1:8765", server.url) + play)
        done = subprocess.run(
            ["lua5.3", script], env=LUA, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 0, done.stderr
    rows, columns, trigger, first, last = (float(word) for word in done.stdout.split())
    expected = np.random.default_rng(0).uniform(-1, 1, (3, 4))
    assert (rows, columns, trigger) == (3, 17, 1)
    np.testing.assert_allclose([first, last], expected[[0, 2], [0, 3]], atol=1e-6)


def test_limits_are_documented():
    config = ServeConfig()
    for value in (config.max_clients, config.max_batch):
        assert str(value) in PAGE
    for text in (f"{config.timeout_s:g} s", f"{config.max_wait_ms:g} ms", config.host):
        assert text in PAGE
