import pytest

from nitrogen import doctor
from nitrogen.simulator import catalog, linux


def test_every_gap_has_a_remedy():
    checks = doctor.examine()
    assert {check.name for check in checks} > {"Python", "agent", "SuperTux"}
    for check in checks:
        assert check.detail
        assert check.state == "ok" or check.remedy or check.name == "GPU"


def test_a_missing_agent_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setattr(linux, "AGENT", tmp_path / "agent.so")
    checks = doctor.examine()
    assert not doctor.is_ready(checks)
    (check,) = [check for check in checks if check.state == "missing"]
    assert check.remedy == "make -C agent"


def test_a_broken_agent_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path):
    (tmp_path / "agent.so").write_text("no library")
    monkeypatch.setattr(linux, "AGENT", tmp_path / "agent.so")
    (check,) = [check for check in doctor.examine() if check.name == "agent"]
    assert check.state == "missing"


def test_games_that_are_missing_name_their_packages(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(linux, "_GAME_FOLDERS", ())
    checks = {check.name: check for check in doctor.examine()}
    assert checks["SuperTux"].remedy == "apt-get install supertux"
    assert all(game.packages for game in catalog.all_games())
