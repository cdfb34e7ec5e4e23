"""Overlays that move, come and go, stand side by side or reach beyond the frame."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nitrogen.actions import Actions
from nitrogen.data.curate import mask_overlay
from nitrogen.data.store import read_chunk
from nitrogen.data.truth import truth_path
from nitrogen.extract.chunks import starts
from nitrogen.extract.evaluate import compare
from nitrogen.extract.locate import Library
from nitrogen.extract.pipeline import ExtractConfig, extract
from nitrogen.extract.sightings import find_sightings, windows
from nitrogen.overlay.look import Look, Overlay
from nitrogen.overlay.render import Renderer, place
from nitrogen.overlay.skin import find_skin
from nitrogen.overlay.synth import motion
from nitrogen.synth.clips import synthesize
from nitrogen.synth.settings import SynthConfig
from nitrogen.video.info import probe
from nitrogen.video.writing import VideoWriter

SIZE = (640, 360)
RATE_HZ = 10
CONFIG = ExtractConfig(chunk_s=5.0, min_density=0.0)


@pytest.fixture(scope="module")
def library():
    return Library([find_skin("nitrogen"), find_skin("retro_grey")])


def overlay(name, corner, *, shift=(0, 0), width=0.4):
    skin = find_skin(name)
    placement = place(skin, SIZE, corner=corner, width=width)
    return Renderer(skin, replace(placement, x=placement.x + shift[0], y=placement.y + shift[1]))


def scenery(rng=None):
    blocks = (rng or np.random.default_rng(4)).integers(30, 220, (9, 80, 3), np.uint8)
    return np.kron(blocks, np.ones((40, 40, 1), np.uint8))


def film(path, seconds, shown):
    """A clip in which `shown(second)` lists the overlays; returns what is pressed."""
    rng = np.random.default_rng(4)
    actions = motion(rng, seconds * RATE_HZ, rate_hz=RATE_HZ)
    land = scenery(rng)
    with VideoWriter(path, SIZE, rate_hz=RATE_HZ, bitrate=2_000_000) as writer:
        for row in range(seconds * RATE_HZ):
            left = 4 * row % (land.shape[1] - SIZE[0])
            frame = land[:, left : left + SIZE[0]].copy()
            for renderer in shown(row / RATE_HZ):
                renderer.blend(frame, actions[row : row + 1])
            writer.write(frame)
    return actions


def test_an_overlay_that_moves_changes_and_is_away(library, tmp_path):
    low, high = overlay("nitrogen", "bottom_left"), overlay("retro_grey", "top_right")
    actions = film(
        tmp_path / "clip.mp4",
        60,
        lambda at: [low] if 4 <= at < 30 else [high] if 30 <= at < 56 else [],
    )

    done = extract(tmp_path / "clip.mp4", tmp_path, skins=library, config=CONFIG)

    spans = {}
    for part in done.parts:
        rows = np.flatnonzero(part.reading.visible) + part.start
        spans[part.sighting.found.skin.name] = (rows[0], rows[-1] + 1)
        for name in sorted(part.reading.readable - {"left", "right"}):
            read = part.reading.actions.button(name)[part.reading.visible]
            assert ((actions.button(name)[rows] > 0.5) == (read > 0.5)).mean() > 0.97, name
    assert np.abs(np.array(spans["nitrogen"]) - (40, 300)).max() <= 2
    assert np.abs(np.array(spans["retro_grey"]) - (300, 560)).max() <= 2
    # Chunks are counted from where the overlay appears: five of 5 s in each 26 s.
    assert len(done.chunks) == 10


def test_the_better_of_two_is_read_and_the_other_is_named(library, tmp_path):
    both = [overlay("nitrogen", "bottom_left"), overlay("retro_grey", "top_right", width=0.3)]
    film(tmp_path / "clip.mp4", 20, lambda at: both)

    (part,) = extract(tmp_path / "clip.mp4", tmp_path, skins=library, config=CONFIG).parts

    (other,) = part.sighting.others
    boxes = {one.skin.name: one.box for one in (part.sighting.found, other)}
    assert set(boxes) == {"nitrogen", "retro_grey"}
    for renderer in both:
        assert np.abs(np.array(boxes[renderer.skin.name]) - renderer.box).max() <= 2


def test_what_lies_beyond_the_frame_cannot_be_read(library, tmp_path):
    cut = overlay("nitrogen", "bottom_left", shift=(-80, 0))
    actions = film(tmp_path / "clip.mp4", 20, lambda at: [cut])

    (part,) = extract(tmp_path / "clip.mp4", tmp_path, skins=library, config=CONFIG).parts

    assert np.abs(np.array(part.sighting.box) - cut.box).max() <= 2
    assert "right" in part.reading.readable
    assert "left" not in part.reading.readable
    result = compare(actions, part.reading.actions)
    assert min(result.read.buttons[name].f1 for name in ("south", "east", "north", "west")) > 0.95
    assert result.read.sticks["right_x"] > 0.95


@pytest.mark.parametrize("names", [["nitrogen"], ["nitrogen", "retro_grey"]])
def test_a_box_by_hand(tmp_path, names):
    shown = overlay("nitrogen", "bottom_left")
    film(tmp_path / "clip.mp4", 12, lambda at: [shown])
    x, y, width, height = shown.box
    by_hand = replace(CONFIG, box=(x - 4, y + 3, width + 6, height - 5), reader="matched")

    skins = [find_skin(name) for name in names]
    (part,) = extract(tmp_path / "clip.mp4", tmp_path, skins=skins, config=by_hand).parts

    assert np.abs(np.array(part.sighting.box) - shown.box).max() <= 2
    assert part.opacity == pytest.approx(1.0, abs=0.1)


@settings(deadline=None)
@given(
    st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 12),
    st.sampled_from([0.6, 0.98, 1.0]),
)  # fmt: skip
def test_chunks_show_the_overlay_and_do_not_overlap(visible, rows, minimum):
    shown = np.array(visible)

    found = starts(shown, rows, minimum)

    assert all(shown[at : at + rows].mean() >= minimum for at in found)
    assert all(later - one >= rows for one, later in pairwise(found))
    assert all(at + rows <= len(shown) for at in found)
    if shown.all():
        assert len(found) == len(shown) // rows


def test_a_policy_sees_none_of_two_overlays(library, tmp_path):
    both = [overlay("nitrogen", "bottom_left"), overlay("retro_grey", "top_right", width=0.3)]
    film(tmp_path / "clip.mp4", 12, lambda at: both)
    done = extract(tmp_path / "clip.mp4", tmp_path, skins=library, config=CONFIG)

    boxes = read_chunk(done.chunks[0]).masked_boxes

    frame = np.zeros((360, 640, 3), np.uint8)
    for box in boxes:
        frame = mask_overlay(frame, box)
    for renderer in both:
        x, y, width, height = renderer.box
        assert (frame[y : y + height, x : x + width] == 127).all()


@pytest.mark.parametrize(
    "look",
    [
        Look(box=(0, 0, 0)),  # its outline cannot be seen
        Look(opacity=0.35, blur=0.6),  # too faint for keypoints in the plain mean
    ],
)
def test_overlays_in_a_black_box_and_faint_ones_are_found(tmp_path, look):
    skin = find_skin("parallel_dark")
    placement = place(skin, SIZE, corner="top_right", width=0.3)
    shown = Overlay(skin, placement, look)
    film(tmp_path / "clip.mp4", 12, lambda at: [shown])

    (sighting,) = find_sightings(
        windows(probe(tmp_path / "clip.mp4")), Library([skin, find_skin("retro_grey")])
    )

    assert sighting.found.skin.name == "parallel_dark"
    assert np.abs(np.array(sighting.box) - shown.box).max() <= 2
    assert sighting.found.score > 0.8


def test_what_has_no_keypoints_is_found_by_trying_every_place(library, tmp_path, monkeypatch):
    monkeypatch.setattr(Library, "candidates", lambda self, frame: [])
    shown = overlay("retro_grey", "top_right", shift=(-7.4, 5.3), width=0.3)
    film(tmp_path / "clip.mp4", 10, lambda second: [shown])
    (sighting,) = find_sightings(windows(probe(tmp_path / "clip.mp4")), library)
    assert sighting.found.skin.name == "retro_grey"
    placement = sighting.found.placement
    assert placement.scale_x == pytest.approx(shown.placement.scale_x, rel=0.01)
    assert placement.x == pytest.approx(shown.placement.x, abs=1)
    assert placement.y == pytest.approx(shown.placement.y, abs=1)


def test_hidden_is_not_released(library, tmp_path):
    """An overlay that hides while the pad rests: its rows are not written as if it rested."""
    config = SynthConfig(
        seconds=30, size=SIZE, rate_hz=RATE_HZ, overlay_rate_hz=RATE_HZ, width=0.4,
        hide_idle_s=2.0, bitrate=2_000_000,
    )  # fmt: skip
    busy = Actions.concatenate(
        Actions.of(*names, left_x=x, length=5)
        for names, x in ((("south",), 0.8), (("west", "dpad_up"), -0.5))
        for _ in range(10)
    )
    actions = Actions.concatenate([busy, Actions.released(100), busy])
    land = scenery()
    frames = (land[:, 4 * row % 1600 :][:, : SIZE[0]] for row in range(len(actions)))
    path = tmp_path / "clip.mp4"
    synthesize(path, skin=find_skin("nitrogen"), config=config, frames=frames, actions=actions)
    there = pq.read_table(truth_path(path))["presence"].to_numpy()
    assert (there == 0).sum() > 60

    done = extract(path, tmp_path / "chunks", skins=library, config=CONFIG)

    visible = np.zeros(len(there), bool)
    for part in done.parts:
        visible[part.start :][: len(part.reading.visible)] |= part.reading.visible[: len(there)]
    assert visible[there == 1].mean() > 0.97
    assert visible[there == 0].mean() < 0.05
    assert 2 <= len(done.chunks) <= 4
    for chunk in done.chunks:
        assert pq.read_table(chunk / "details.parquet")["visible"].to_numpy().mean() >= 0.98
        assert read_chunk(chunk).actions().sticks.any()
