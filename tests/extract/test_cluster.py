"""The same batch over a real Ray cluster of two nodes on this machine."""

import json
import shutil
import subprocess
import sys

import pytest

from nitrogen.errors import ExtractionError
from nitrogen.extract.batch import extract_all, find_videos
from nitrogen.extract.cluster import on_ray
from nitrogen.extract.pipeline import ExtractConfig
from nitrogen.overlay.skin import SHIPPED

pytest.importorskip("ray")

# In a process of its own: Ray leaves threads and warnings behind.
SCRIPT = """
import json, os, signal, sys, threading, time
from pathlib import Path
from ray.cluster_utils import Cluster
from nitrogen.extract.batch import extract_all, find_videos
from nitrogen.extract.cluster import on_ray
from nitrogen.extract.pipeline import ExtractConfig

videos, out, skin = map(Path, sys.argv[1:])
killed = []

def kill_one_worker():
    while not killed:
        busy = sorted(out.glob(".work/*/s00_000000.npy"))
        for folder in Path("/proc").iterdir():
            if busy and folder.name.isdigit():
                try:
                    title = (folder / "cmdline").read_text()
                except OSError:
                    continue
                if title.startswith("ray::extract_one") and not killed:
                    os.kill(int(folder.name), signal.SIGKILL)
                    killed.append(title)
        time.sleep(0.01)

os.environ["RAY_worker_niceness"] = "0"  # else a busy machine starves them
cluster = Cluster(
    initialize_head=True,
    head_node_args={"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False},
)
cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
threading.Thread(target=kill_one_worker, daemon=True).start()
entries = extract_all(
    find_videos(videos), out, skins=[skin], config=ExtractConfig(chunk_s=2.0, min_density=0.0),
    run=on_ray(cluster.address),
)
cluster.shutdown()
print("RESULT", json.dumps({"chunks": [e.chunks for e in entries], "killed": len(killed),
                            "causes": [e.cause for e in entries]}))
"""


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*.*"))
        if path.is_file() and path.name not in ("ledger.jsonl", "settings.json")
    }


@pytest.mark.slow
def test_two_nodes_and_a_worker_killed_in_the_middle(recording, tmp_path):
    videos = tmp_path / "videos"
    videos.mkdir()
    for name in ("one", "two", "three"):
        shutil.copy(recording.video, videos / f"{name}.mp4")
    (videos / "broken.mp4").write_bytes(recording.video.read_bytes()[:20_000])

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, (videos, tmp_path / "ray", SHIPPED / "nitrogen"))],
        capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    assert "RESULT" in done.stdout, done.stderr[-2000:]
    result = json.loads(done.stdout.split("RESULT")[1])

    assert result["killed"] == 1
    assert result["chunks"] == [0, 8, 8, 8]
    assert "broken.mp4" in result["causes"][0]
    extract_all(
        find_videos(videos), tmp_path / "alone", skins=[SHIPPED / "nitrogen"],
        config=ExtractConfig(chunk_s=2.0, min_density=0.0),
    )  # fmt: skip
    assert content(tmp_path / "ray") == content(tmp_path / "alone")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_is_not_there(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"")
    with pytest.raises(ExtractionError, match="no Ray cluster at 127"):
        extract_all(
            [tmp_path / "clip.mp4"], tmp_path / "out", skins=[SHIPPED / "nitrogen"],
            run=on_ray("127.0.0.1:1"),
        )  # fmt: skip
