"""Read and write chunk folders.

Knows the layout (`data.schema`) and the file system. Knows nothing of where actions came from.
"""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from nitrogen.actions import Actions
from nitrogen.data.schema import (
    METADATA_FILE,
    PROCESSED_FILE,
    RAW_FILE,
    ChunkMetadata,
    actions_from_table,
    actions_to_table,
    metadata_from_json,
    metadata_to_json,
)
from nitrogen.errors import DataError
from nitrogen.files import replacing_folder


@dataclass(frozen=True)
class Chunk:
    """One chunk on disk; its actions are read when asked for."""

    folder: Path
    metadata: ChunkMetadata

    @property
    def video_id(self) -> str:
        """The video that it was cut from."""
        return self.metadata.original_video.video_id

    @property
    def rate_hz(self) -> float:
        """Rows per second."""
        return self.metadata.rate_hz

    @property
    def start_frame(self) -> int:
        """Source frame of row 0."""
        return self.metadata.original_video.start_frame

    @property
    def overlay_box(self) -> tuple[int, int, int, int]:
        """x, y, width and height of the overlay, clamped to the frame."""
        return self.metadata.overlay_box()

    @property
    def masked_boxes(self) -> list[tuple[int, int, int, int]]:
        """What a policy must not see of the frames: x, y, width and height of every overlay."""
        return self.metadata.masked_boxes()

    @property
    def is_processed(self) -> bool:
        """Whether the chunk has the filtered actions beside the raw ones."""
        return (self.folder / PROCESSED_FILE).is_file()

    def actions(self, *, raw: bool = False) -> Actions:
        """The processed actions where there are any, else the raw ones; raw ones if asked for.

        Raises DataError if the file is missing, damaged or of another length than declared.
        """
        path = self.folder / (PROCESSED_FILE if self.is_processed and not raw else RAW_FILE)
        try:
            with pq.ParquetFile(path) as file:
                table = file.read(use_threads=False)
        except (OSError, pa.ArrowInvalid) as error:
            raise DataError(f"{path} cannot be read: {error}") from error
        if len(table) != self.metadata.chunk_size:
            raise DataError(
                f"{path} has {len(table)} rows, its metadata says {self.metadata.chunk_size};"
                " extract the video again"
            )
        return actions_from_table(table, where=str(path))


@dataclass(frozen=True)
class Skip:
    """A chunk, or what looks like one, that cannot be used."""

    chunk: str
    """Name of its folder."""
    cause: str


def write_chunk(
    root: Path,
    metadata: ChunkMetadata,
    raw: Actions,
    processed: Actions | None = None,
    *,
    details: dict[str, str | pa.Table] | None = None,
) -> Path:
    """Write `<root>/<video_id>/<video_id>_chunk_NNNN` and return it; it appears when complete.

    details: further files by name, as text or table, for facts that the layout has no place for.
    Raises DataError if lengths differ or the disk refuses.
    """
    for actions in (raw, processed):
        if actions is not None and len(actions) != metadata.chunk_size:
            raise DataError(f"a chunk of {metadata.chunk_size} rows got {len(actions)} actions")
    folder = Path(root) / metadata.original_video.video_id / metadata.folder_name
    try:
        with replacing_folder(folder) as partial:
            (partial / METADATA_FILE).write_text(metadata_to_json(metadata))
            pq.write_table(actions_to_table(raw), partial / RAW_FILE)
            if processed is not None:
                pq.write_table(actions_to_table(processed), partial / PROCESSED_FILE)
            for name, content in (details or {}).items():
                if isinstance(content, str):
                    (partial / name).write_text(content)
                else:
                    pq.write_table(content, partial / name)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error}") from error
    return folder


def read_chunk(folder: Path) -> Chunk:
    """Read a chunk folder's metadata. Raises DataError if it is missing or not a chunk's."""
    path = Path(folder) / METADATA_FILE
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise DataError(f"no {METADATA_FILE} in {folder}; is it a chunk folder?") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    return Chunk(Path(folder), metadata_from_json(text, where=str(path)))


def list_chunks(root: Path) -> list[Chunk]:
    """All chunks at any depth below `root`, by video and start.

    Raises DataError if there is none, or the metadata of one cannot be read.
    """
    chunks, skips = scan_chunks(root)
    if skips:
        raise DataError(skips[0].cause)
    return chunks


def scan_chunks(root: Path) -> tuple[list[Chunk], list[Skip]]:
    """All chunks at any depth below `root`, by video and start, and those that cannot be read.

    Raises DataError if there is none at all.
    """
    if not Path(root).is_dir():
        raise DataError(f"no folder {root}")
    chunks, skips = [], []
    for file in sorted(Path(root).rglob(METADATA_FILE)):
        if any(part.startswith(".") for part in file.relative_to(root).parts):
            continue
        try:
            chunks.append(read_chunk(file.parent))
        except DataError as error:
            skips.append(Skip(file.parent.name, str(error)))
    if not chunks:
        cause = f" ({skips[0].cause})" if skips else ""
        raise DataError(
            f"no chunks in {root}{cause}; make some with 'nitrogen extract VIDEO {root}'"
        )
    return sorted(chunks, key=lambda chunk: (chunk.video_id, chunk.start_frame)), skips
