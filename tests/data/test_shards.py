import io
import tarfile
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numbered import metadata

from nitrogen.actions import BUTTONS, Actions
from nitrogen.data import schema, store
from nitrogen.data.shards import is_archive, unpack
from nitrogen.errors import DataError

ROWS = 12


def published(*, processed=True, seed=0):
    """The files of a chunk as they were published: integers, and sticks as lists."""
    rng = np.random.default_rng(seed)
    columns = {name: pa.array(rng.integers(0, 2, ROWS)) for name in BUTTONS}
    columns |= {
        name: pa.array(rng.uniform(-1, 1, (ROWS, 2)).tolist()) for name in schema.STICK_COLUMNS
    }
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    files = {"actions_raw.parquet": file.getvalue()}
    if processed:
        files["actions_processed.parquet"] = file.getvalue()
    return files


def members():
    """Paths and contents of a small shard: two videos of two games, one chunk without actions."""
    found = {}
    for video_id, index, processed in (("abc", 0, True), ("abc", 2, False), ("-d_e", 7, True)):
        facts = metadata(video_id, index, ROWS, rate_hz=60.0)
        folder = f"SHARD_0042/{video_id}/{facts.folder_name}"
        text = schema.metadata_to_json(facts)
        if video_id == "-d_e":
            text = text.replace('"counting"', '"celeste"')
        for name, content in published(processed=processed, seed=index).items():
            found[f"{folder}/{name}"] = content
        found[f"{folder}/metadata.json"] = text.encode()
    found["SHARD_0042/bad/bad_chunk_0000/metadata.json"] = b"{}"
    found["SHARD_0042/readme.txt"] = b"hello"
    return found


def write_archive(path, files):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize("name", ["SHARD_0042.tar.gz", "SHARD_0042.tar", "SHARD_0042.zip"])
def test_chunks_come_out_in_our_layout(tmp_path, name):
    archive = write_archive(tmp_path / name, members())
    assert is_archive(archive)

    done = unpack(archive, tmp_path / "chunks")

    assert (done.written, done.present, done.unwanted) == (3, 0, 0)
    assert [(skip.chunk, "missing key" in skip.cause) for skip in done.skips] == [
        ("bad_chunk_0000", True)
    ]
    chunks = store.list_chunks(tmp_path / "chunks")
    assert [chunk.folder.name for chunk in chunks] == [
        "-d_e_chunk_0007", "abc_chunk_0000", "abc_chunk_0002"
    ]  # fmt: skip
    assert [chunk.is_processed for chunk in chunks] == [True, True, False]
    assert all(isinstance(chunk.actions(), Actions) for chunk in chunks)
    assert [chunk.rate_hz for chunk in chunks] == [60.0] * 3


def test_only_what_is_wanted(tmp_path):
    archive = write_archive(tmp_path / "s.tar.gz", members())

    done = unpack(archive, tmp_path / "a", games={"celeste"})
    assert (done.written, done.unwanted) == (1, 2)
    done = unpack(archive, tmp_path / "a", videos={"abc"})
    assert (done.written, done.unwanted) == (2, 1)
    assert len(store.list_chunks(tmp_path / "a")) == 3


def test_a_cut_archive_keeps_what_was_complete_and_goes_on(tmp_path):
    files = {n: c for n, c in members().items() if "abc" in n or "-d_e" in n}
    archive = write_archive(tmp_path / "s.tar.gz", files)
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) * 4 // 5])

    with pytest.raises(DataError, match=r"cut off.* complete and are kept"):
        unpack(archive, tmp_path / "chunks")
    kept = len(store.list_chunks(tmp_path / "chunks"))
    archive.write_bytes(whole)
    done = unpack(archive, tmp_path / "chunks")

    assert kept >= 1
    assert (done.present, done.written) == (kept, 3 - kept)


def test_nothing_is_written_outside(tmp_path):
    hostile = {}
    for prefix in ("../../../x/y", "/etc/y", "a/../..", "a/.hidden"):
        facts = metadata("v", 0, ROWS)
        for name, content in published().items():
            hostile[f"{prefix}/{name}"] = content
        hostile[f"{prefix}/metadata.json"] = schema.metadata_to_json(facts).encode()
    archive = write_archive(tmp_path / "s.zip", hostile)

    unpack(archive, tmp_path / "one" / "two" / "chunks")

    outside = [
        path for path in tmp_path.rglob("*.parquet")
        if not path.is_relative_to(tmp_path / "one" / "two" / "chunks")
    ]  # fmt: skip
    assert outside == []


def test_links_are_not_followed(tmp_path):
    path = tmp_path / "s.tar"
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("S/v/v_chunk_0000/metadata.json")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)

    assert unpack(path, tmp_path / "chunks").written == 0


def test_other_files_are_refused(tmp_path):
    (tmp_path / "x.tar.gz").write_bytes(b"no archive")

    assert not is_archive(tmp_path / "x.tar.gz")
    with pytest.raises(DataError, match="no archive of labels"):
        unpack(tmp_path / "x.tar.gz", tmp_path / "out")
    with pytest.raises(DataError, match="cannot unpack"):
        unpack(tmp_path / "none.tar", tmp_path / "out")
