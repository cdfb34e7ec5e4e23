"""The whole chain, very small: real recording, extraction, training and play."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nitrogen.errors import ConfigError
from nitrogen.quickstart import QuickstartConfig, Watcher, quickstart

SMALL = QuickstartConfig(videos=2, episodes_per_video=2, train_steps=12, batch=8, play_episodes=2)

CODE = """
import sys
from pathlib import Path
from nitrogen.quickstart import QuickstartConfig, quickstart
if __name__ == "__main__":
    quickstart(Path(sys.argv[1]), QuickstartConfig(
        videos=2, episodes_per_video=2, train_steps=12, batch=8, play_episodes=2))
"""


class Stages(Watcher):
    def __init__(self):
        self.names = []

    def stage(self, name, total):
        self.names.append(name)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_chain_closes_even_when_it_is_killed(tmp_path):
    out, script = tmp_path / "run", tmp_path / "go.py"
    script.write_text(CODE)
    process = subprocess.Popen([sys.executable, script, out], start_new_session=True)
    limit = time.monotonic() + 600
    while not (out / "stages" / "record.json").exists() and time.monotonic() < limit:
        assert process.poll() is None
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    watcher = Stages()

    result = quickstart(out, SMALL, watcher=watcher)

    assert "record" not in watcher.names
    assert watcher.names[-2:] == ["play", "film"]
    for name in ("video_00", "video_01"):
        assert result.extraction[name]["accuracy"] > 0.99
        assert result.extraction[name]["f1"] > 0.95
        assert result.extraction[name]["stick_r2"] > 0.9
    players = [row.player for row in result.scores]
    assert players == ["policy", "policy (true log)", "expert", "random", "no input", "mash"]
    assert result.report.read_text().count("<video") == 1
    assert json.loads(result.as_json())["seconds"].keys() >= {"record", "extract", "train", "play"}
    masked = next(Path(out / "chunks").rglob("frames_64.npy"))
    assert masked.stat().st_size > 1_000_000

    again = Stages()
    quickstart(out, SMALL, watcher=again)
    assert again.names == []


def test_another_quickstart_is_not_overwritten(tmp_path):
    (tmp_path / "quickstart.json").write_text("{}")

    with pytest.raises(ConfigError, match="choose another folder"):
        quickstart(tmp_path, SMALL)
