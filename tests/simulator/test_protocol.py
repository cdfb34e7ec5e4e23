import ctypes
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from nitrogen.simulator import protocol
from nitrogen.simulator.channel import Watch

AGENT = Path(__file__).parents[2] / "agent"
MIRRORS = {
    "ng_pad": protocol.Pad,
    "ng_request": protocol.Request,
    "ng_reply": protocol.Reply,
    "ng_mouse": protocol.Mouse,
    "ng_board": protocol.Header,
}
pytestmark = pytest.mark.skipif(
    shutil.which("cc") is None or shutil.which("make") is None,
    reason="needs a C compiler and make: apt-get install build-essential",
)


@pytest.fixture(scope="module")
def layout() -> dict[str, int]:
    subprocess.run(["make", "-s", "-C", str(AGENT), "build/print_layout"], check=True)
    text = subprocess.run(
        [AGENT / "build" / "print_layout"], check=True, capture_output=True, text=True
    ).stdout
    return {name: int(value) for name, value in (line.split() for line in text.splitlines())}


def test_every_size_and_offset(layout: dict[str, int]):
    mirrored = {}
    for name, mirror in MIRRORS.items():
        mirrored[name] = ctypes.sizeof(mirror)
        for field, *_ in mirror._fields_:
            mirrored[f"{name}.{field}"] = getattr(mirror, field).offset
    assert mirrored == {name: value for name, value in layout.items() if name.startswith("ng_")}


def test_every_constant(layout: dict[str, int]):
    special = {
        "NG_KEY_COUNT": len(protocol.KEY_CONTROLS),
        "NG_SEEN_COUNT": protocol.SEEN_COUNT,
    }
    for name, value in layout.items():
        if name.startswith("NG_"):
            known = special.get(name, getattr(protocol, name.removeprefix("NG_"), None))
            assert known == value, name
    assert len(protocol.SEEN) <= protocol.SEEN_COUNT


def test_the_parts_of_the_agent_that_need_no_game():
    """Clock, pad and picture, under the address and undefined-behaviour sanitizers."""
    done = subprocess.run(
        ["make", "-s", "-C", str(AGENT), "check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_process_is_busy_or_waits():
    """One that is ready to run counts as busy even while others keep the processor from it."""
    for command, expected in (("while :; do :; done", True), ("exec sleep 60", False)):
        process = subprocess.Popen(["sh", "-c", command])
        try:
            time.sleep(0.2)
            watch = Watch(process.pid)
            time.sleep(0.2)
            assert [watch.is_busy() for _ in range(3)][-1] == expected
        finally:
            process.kill()
            process.wait()
