import numpy as np
import pytest

from nitrogen.actions import Actions
from nitrogen.data.truth import read_truth, truth_path, write_truth
from nitrogen.errors import ConfigError
from nitrogen.overlay.look import Look
from nitrogen.overlay.render import Renderer, place
from nitrogen.overlay.skin import find_skin
from nitrogen.synth.backgrounds import background
from nitrogen.synth.clips import (
    boxed,
    describe,
    make_clips,
    played,
    replayed,
    shown_rows,
    synthesize,
)
from nitrogen.synth.settings import SynthConfig
from nitrogen.video.info import probe
from nitrogen.video.reading import read

SKIN = find_skin("nitrogen")
RETRO = find_skin("retro_grey")
SMALL = SynthConfig(seconds=0.5, size=(320, 180), rate_hz=30, overlay_rate_hz=30, bitrate=600_000)


def small(**changes):
    return SynthConfig(**{**vars(SMALL), **changes})


def make(path, config, *, actions=None, seed=0):
    if actions is None:
        actions = played(SKIN, config, np.random.default_rng(seed))
    frames = background("plain", seed=seed, rate_hz=config.rate_hz)
    return synthesize(path, skin=SKIN, config=config, frames=frames, actions=actions, seed=seed)


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "av1"])
def test_every_codec_can_be_written_and_read(tmp_path, codec):
    path = tmp_path / "clip.mp4"
    make(path, small(codec=codec))

    assert probe(path).frame_count == 15
    assert len(list(read(path))) == 15
    assert read_truth(truth_path(path)).facts["settings"]["codec"] == codec


def test_the_overlay_shows_the_truth(tmp_path):
    """Every frame looks like the state that the truth says is on screen."""
    config = small(seconds=1, latency_frames=3, duplicates=0.2, overlay_rate_hz=15, width=0.6,
                   bitrate=4_000_000)  # fmt: skip
    actions = Actions.concatenate(
        Actions.of(*names, left_x=x, length=6)
        for names, x in (((), 0.0), (("south",), 1.0), (("east", "dpad_up"), -1.0), ((), 0.5))
        for _ in range(2)
    )
    make(tmp_path / "clip.mp4", config, actions=actions)
    truth = read_truth(tmp_path / "clip.pad.parquet")
    on_screen = truth.on_screen()
    renderer = Renderer(SKIN, place(SKIN, config.size, width=0.6))
    plain = next(background("plain", seed=0, rate_hz=30))[:180, :320]
    states = [actions[i : i + 1] for i in (0, 12, 24, 36)]
    looks = []
    for state in states:
        frame = plain.copy()
        renderer.blend(frame, state)
        looks.append(frame.astype(int))

    for picture in read(tmp_path / "clip.mp4"):
        nearest = int(np.argmin([np.abs(picture.pixels - look).mean() for look in looks]))
        shown = on_screen[picture.index : picture.index + 1]
        np.testing.assert_array_equal(states[nearest].buttons, shown.buttons)


def test_rows_behind():
    still = np.zeros(8, bool)
    still[5] = True
    config = small(rate_hz=60, overlay_rate_hz=30, latency_frames=1)

    assert shown_rows(8, still, config).tolist() == [0, 0, 1, 1, 3, 3, 5, 5]
    assert shown_rows(4, np.zeros(4, bool), SMALL).tolist() == [0, 1, 2, 3]


def test_streamed_and_uploaded(tmp_path):
    make(tmp_path / "once.mp4", SMALL)
    make(tmp_path / "twice.mp4", small(upload_bitrate=100_000))

    assert probe(tmp_path / "twice.mp4").frame_count == 15
    assert (tmp_path / "twice.mp4").stat().st_size < (tmp_path / "once.mp4").stat().st_size
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "once.mp4", "once.pad.parquet", "twice.mp4", "twice.pad.parquet",
    ]  # fmt: skip


@pytest.mark.parametrize(("shape", "rows"), [(2.35, (20, -20)), (4 / 3, (0, None))])
def test_letterbox(shape, rows):
    frame = boxed(np.full((180, 320, 3), 200, np.uint8), (320, 180), shape)
    lit = (frame == 200).all(axis=2)

    assert lit.mean() == pytest.approx(min(shape / (16 / 9), (16 / 9) / shape), abs=0.02)
    assert lit[90, 160]
    assert not lit[0, 0]


def test_only_what_the_skin_shows_is_pressed():
    actions = played(RETRO, small(seconds=60), np.random.default_rng(0))

    assert actions.button("south").any()
    assert not actions.button("left_trigger").any()
    assert not actions.sticks.any()


def test_logs_are_replayed_at_the_clips_rate(tmp_path):
    log = tmp_path / "log.pad.parquet"
    actions = Actions.concatenate([Actions.of("south"), Actions.of("east"), Actions.released(1)])
    write_truth(log, actions, {"rate_hz": 30.0})

    again = replayed(log, 9, rate_hz=60)
    assert again.button("south").tolist() == [1, 1, 0, 0, 0, 0, 1, 1, 0]
    assert played(SKIN, small(rate_hz=60, seconds=0.1), np.random.default_rng(), log=log).button(
        "east"
    ).tolist() == [0, 0, 1, 1, 0, 0]


def test_clips_end_with_the_shorter_part(tmp_path):
    make(tmp_path / "clip.mp4", SMALL, actions=Actions.of("south", length=4))

    assert probe(tmp_path / "clip.mp4").frame_count == 4
    assert len(read_truth(tmp_path / "clip.pad.parquet").actions) == 4
    with pytest.raises(ConfigError, match="no frame"):
        make(tmp_path / "none.mp4", SMALL, actions=Actions.released(0))


def test_batches_depend_on_seed_and_number_alone(tmp_path):
    one = make_clips(tmp_path / "a", skins=[SKIN, RETRO], count=2, seconds=0.3, seed=5,
                     backgrounds=["plain"])  # fmt: skip
    other = make_clips(tmp_path / "b", skins=[SKIN, RETRO], count=1, seconds=0.3, seed=5,
                       backgrounds=["plain"])  # fmt: skip

    assert [path.name for path in one] == ["00000.mp4", "00001.mp4"]
    assert one[0].read_bytes() == other[0].read_bytes()
    stamp = one[0].stat().st_mtime_ns
    make_clips(tmp_path / "a", skins=[SKIN, RETRO], count=2, seconds=0.3, seed=5)
    assert one[0].stat().st_mtime_ns == stamp


def test_a_clip_describes_itself(tmp_path):
    make(tmp_path / "clip.mp4", small(latency_frames=2, look=Look(opacity=0.7)))
    text = describe(tmp_path / "clip.mp4")

    assert "nitrogen in 320x180 at 30 Hz, h264" in text
    assert "latency_frames 2" in text
    assert "opacity 0.7" in text


def test_triggers_that_are_switches_are_on_screen_or_not(tmp_path):
    skin = find_skin("switch_dark")
    travel = Actions.concatenate(Actions.of(left_trigger=x) for x in (0.0, 0.1, 0.2, 0.9))
    frames = background("plain", seed=0, rate_hz=30)
    synthesize(tmp_path / "a.mp4", skin=skin, config=SMALL, frames=frames, actions=travel)
    truth = read_truth(tmp_path / "a.pad.parquet")

    assert truth.on_screen().button("left_trigger").tolist() == [0, 0, 1, 1]
    assert truth.actions.button("left_trigger") == pytest.approx([0, 0.1, 0.2, 0.9])
