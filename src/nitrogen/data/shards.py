"""Published label archives: tar or zip files of chunk folders, without any picture.

A shard holds `SHARD_xxxx/<video_id>/<video_id>_chunk_NNNN/` with `metadata.json`,
`actions_raw.parquet` and often `actions_processed.parquet`. `unpack` takes out what the user has
videos for, so that `data.prepare` can join labels and pictures.
"""

import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from nitrogen.data.schema import METADATA_FILE, PROCESSED_FILE, RAW_FILE, metadata_from_json
from nitrogen.data.store import Skip
from nitrogen.errors import DataError
from nitrogen.files import replacing_folder

LARGEST_FILE = 64 * 2**20
"""No file of a chunk is larger, in bytes; a bigger one is not unpacked."""


@dataclass
class Unpacked:
    """What came out of an archive."""

    written: int = 0
    """Chunks written now."""
    present: int = 0
    """Chunks that had been there before."""
    unwanted: int = 0
    """Chunks of other games or videos than those asked for."""
    skips: list[Skip] = field(default_factory=list)
    """Chunks that are broken."""


def is_archive(path: Path) -> bool:
    """Whether the file looks like a tar (compressed or not) or a zip."""
    return path.is_file() and (tarfile.is_tarfile(path) or zipfile.is_zipfile(path))


def unpack(
    archive: Path,
    out: Path,
    *,
    games: Collection[str] | None = None,
    videos: Collection[str] | None = None,
) -> Unpacked:
    """Write the chunks of an archive below `out`, in the same layout; chunks there are kept.

    games, videos: only chunks of these games and video ids; None means all. Nothing is written
    outside `out`, whatever names the archive holds. Raises DataError if the archive is missing, no
    archive or cut off (complete chunks are kept then), or the disk refuses.
    """
    result, waiting = Unpacked(), dict[str, dict[str, bytes]]()
    try:
        for chunk, name, content in _members(Path(archive)):
            if waiting and chunk not in waiting:
                _flush(waiting, out, result, games, videos)
            waiting.setdefault(chunk, {})[name] = content
        _flush(waiting, out, result, games, videos)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DataError(
            f"{archive} is no archive of labels, or cut off ({error}); {result.written} chunks were"
            " complete and are kept: download it again and run the same command"
        ) from error
    except OSError as error:
        raise DataError(f"cannot unpack {archive} into {out}: {error}") from error
    for chunk in waiting:
        result.skips.append(Skip(chunk, f"no {METADATA_FILE} in {archive}"))
    return result


def _members(archive: Path) -> Iterator[tuple[str, str, bytes]]:
    """`<video_id>/<chunk folder>`, file name and content of every file of a chunk."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            for entry in file.infolist():
                place = _place(entry.filename)
                if place and entry.file_size <= LARGEST_FILE:
                    yield *place, file.read(entry)
        return
    with tarfile.open(archive, "r:*") as tar:
        for member in tar:
            place = _place(member.name)
            if place and member.isreg() and member.size <= LARGEST_FILE:
                content = tar.extractfile(member)
                assert content is not None
                yield *place, content.read()


def _place(name: str) -> tuple[str, str] | None:
    """Chunk and file of a member; None for what belongs to no chunk."""
    parts = PurePosixPath(name).parts
    if len(parts) < 3 or parts[-1] not in (METADATA_FILE, RAW_FILE, PROCESSED_FILE):
        return None
    if any(part in ("..", "/") or "\\" in part or part.startswith(".") for part in parts[-3:-1]):
        return None
    return f"{parts[-3]}/{parts[-2]}", parts[-1]


def _flush(
    waiting: dict[str, dict[str, bytes]],
    out: Path,
    result: Unpacked,
    games: Collection[str] | None,
    videos: Collection[str] | None,
) -> None:
    """Write the chunks that have their metadata; the others wait for it."""
    for chunk, files in list(waiting.items()):
        folder = Path(out) / chunk
        if METADATA_FILE not in files:
            continue
        del waiting[chunk]
        try:
            metadata = metadata_from_json(
                files[METADATA_FILE].decode("utf-8", "replace"), where=chunk
            )
        except DataError as error:
            result.skips.append(Skip(folder.name, str(error)))
            continue
        video_id = metadata.original_video.video_id
        if (games is not None and metadata.game not in games) or (
            videos is not None and video_id not in videos
        ):
            result.unwanted += 1
        elif folder.is_dir():
            result.present += 1
        elif RAW_FILE not in files and PROCESSED_FILE not in files:
            result.skips.append(Skip(folder.name, f"{chunk} has no actions"))
        else:
            _write(folder, files)
            result.written += 1


def _write(folder: Path, files: dict[str, bytes]) -> None:
    with replacing_folder(folder) as partial:
        for name, content in files.items():
            (partial / name).write_bytes(content)
