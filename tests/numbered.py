"""Videos whose every frame carries its own number as a pattern that survives scaling."""

import numpy as np

from nitrogen.data import schema
from nitrogen.video.writing import VideoWriter

BITS = 12
OVERLAY = (220, 130, 90, 40)
"""x, y, width, height in a video of 320x180."""


def picture(number, size=(320, 180)):
    """4 x 3 blocks over the upper two thirds, white where the number has a bit."""
    width, height = size
    frame = np.full((height, width, 3), 60, np.uint8)
    for bit in range(BITS):
        row, column = divmod(bit, 4)
        y, x = row * height * 2 // 9, column * width // 4
        bright = 230 if number >> bit & 1 else 20
        frame[y : y + height * 2 // 9, x : x + width // 4] = bright
    return frame


def number(frame):
    """The number that a frame of any size shows."""
    height, width = frame.shape[:2]
    found = 0
    for bit in range(BITS):
        row, column = divmod(bit, 4)
        y, x = (row * 2 + 1) * height // 9, (column * 2 + 1) * width // 8
        found |= int(frame[y, x].mean() > 127) << bit
    return found


def write_video(path, frames, *, rate_hz=30.0, size=(320, 180), overlay=None):
    """A video of numbered frames; overlay: colour painted over OVERLAY."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, size, rate_hz=rate_hz, bitrate=2_000_000) as writer:
        for index in range(frames):
            frame = picture(index, size)
            if overlay is not None:
                x, y, w, h = OVERLAY
                frame[y : y + h, x : x + w] = overlay
            writer.write(frame)
    return path


def metadata(video_id, index, rows, *, rate_hz=30.0, start=None, size=(320, 180)):
    """Of chunk `index`, which begins at frame `start`, in the layout of the published set."""
    start = index * rows if start is None else start
    chunk_id = f"{index:04d}"
    return schema.ChunkMetadata(
        uuid=schema.chunk_uuid(video_id, chunk_id),
        chunk_id=chunk_id,
        chunk_size=rows,
        game="counting",
        controller_type="xboxone",
        bbox_controller_overlay=OVERLAY,
        original_video=schema.SourceVideo(
            video_id=video_id,
            source="local",
            url=f"{video_id}.mp4",
            resolution=(size[1], size[0]),
            start_time=start / rate_hz,
            end_time=(start + rows) / rate_hz,
            duration=rows / rate_hz,
            start_frame=start,
            end_frame=start + rows,
        ),
    )
