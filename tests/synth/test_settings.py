import numpy as np
import pytest

from nitrogen.errors import ConfigError, MissingDependencyError
from nitrogen.synth import settings
from nitrogen.synth.settings import SynthConfig, available, encoder, random_config


def test_settings_follow_from_the_seed():
    one, two, other = (random_config(np.random.default_rng(seed)) for seed in (1, 1, 2))

    assert one == two != other


def test_random_settings_cover_what_is_met():
    drawn = [random_config(np.random.default_rng(seed)) for seed in range(300)]

    assert {config.codec for config in drawn} == set(available())
    assert {config.rate_hz for config in drawn} == {30.0, 60.0}
    for name in ("letterbox", "upload_bitrate"):
        assert 0.05 < np.mean([getattr(config, name) is not None for config in drawn]) < 0.6
    assert 0.05 < np.mean([config.look.box is not None for config in drawn]) < 0.3
    assert min(config.look.opacity for config in drawn) < 0.6
    assert any(config.margin < 0 for config in drawn)


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds": 0}, {"rate_hz": -1}, {"overlay_rate_hz": 0}, {"width": 0},
        {"latency_frames": -1}, {"duplicates": 1.0}, {"letterbox": 40},
    ],
)  # fmt: skip
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SynthConfig(**wrong)


def test_missing_encoders_are_named(monkeypatch):
    monkeypatch.setitem(settings.ENCODERS, "av1", ("libnothing", {}))

    assert "av1" not in available()
    with pytest.raises(MissingDependencyError, match=r"no libnothing.*h264"):
        encoder("av1")
    with pytest.raises(ConfigError, match="codecs: h264, hevc, vp9, av1"):
        encoder("mjpeg")
