"""From a pad log beside a video to frames for training, a LeRobot data set, and back."""

import json
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
from numbered import OVERLAY, metadata, number, write_video

from nitrogen.actions import Actions
from nitrogen.data import frames, schema, store
from nitrogen.data.truth import truth_path, write_truth

ROWS = 80


def nitrogen(*words):
    return subprocess.run(
        [sys.executable, "-m", "nitrogen", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def numbers(chunks, size):
    return [
        number(frame)
        for chunk in store.list_chunks(chunks)
        for frame in np.asarray(frames.load(chunk, size))
    ]


def test_pad_log_to_training_frames_to_lerobot_and_back(tmp_path):
    clip = write_video(tmp_path / "videos" / "clip.mp4", ROWS)
    facts = {"box": list(OVERLAY)}
    write_truth(truth_path(clip), Actions.of("south", length=ROWS, left_x=0.5), facts)

    done = nitrogen("import", clip.parent, tmp_path / "chunks", "--game", "counting")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'chunks'}\n"), done.stderr
    assert "1 chunks of 1 videos" in done.stderr

    done = nitrogen(
        "prepare", tmp_path / "chunks", "--videos", clip.parent, "--size", 64, "--workers", 2
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'chunks' / 'prepare.jsonl'}\n"
    assert numbers(tmp_path / "chunks", 64) == list(range(ROWS))

    done = nitrogen("export", tmp_path / "chunks", tmp_path / "lerobot", "--size", 64)
    assert done.stdout == f"{tmp_path / 'lerobot'}\n", done.stderr
    assert len(pq.read_table(tmp_path / "lerobot/data/chunk-000/file-000.parquet")) == ROWS

    done = nitrogen("import", tmp_path / "lerobot", tmp_path / "back")
    assert done.returncode == 0, done.stderr
    done = nitrogen(
        "prepare", tmp_path / "back", "--videos", tmp_path / "back" / "videos", "--size", 64
    )
    assert done.returncode == 0, done.stderr
    assert numbers(tmp_path / "back", 64) == list(range(ROWS))


def test_what_is_left_out_is_said_with_its_cause(tmp_path):
    for name in ("here", "gone"):
        store.write_chunk(tmp_path / "chunks", metadata(name, 0, 30), Actions.released(30))
    write_video(tmp_path / "videos" / "here.mp4", 30)
    broken = tmp_path / "chunks" / "odd" / "odd_chunk_0000"
    broken.mkdir(parents=True)
    (broken / schema.METADATA_FILE).write_text("{}")

    done = nitrogen("prepare", tmp_path / "chunks", "--videos", tmp_path / "videos", "--size", 32)

    assert done.returncode == 0
    assert "1 chunks prepared, 0 were there before" in done.stderr
    said = " ".join(done.stderr.split())
    assert "no video gone in" in said
    assert "missing key" in said
    ledger = (tmp_path / "chunks" / "prepare.jsonl").read_text().splitlines()
    assert {json.loads(line)["video_id"] for line in ledger} == {"here", "gone"}


def test_what_is_no_data_is_refused_in_one_line(tmp_path):
    (tmp_path / "empty").mkdir()
    for words, message in (
        (("import", tmp_path / "none", tmp_path / "out"), "no file or folder"),
        (("import", tmp_path / "empty", tmp_path / "out"), "is no label archive"),
        (("export", tmp_path / "empty", tmp_path / "out"), "no chunks in"),
        (("prepare", tmp_path / "empty", "--videos", tmp_path), "no chunks in"),
    ):
        done = nitrogen(*words)
        assert done.returncode == 1
        assert done.stderr.strip().startswith("nitrogen: ")
        assert message in done.stderr
        assert done.stdout == ""
