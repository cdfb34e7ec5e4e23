import json
import shutil
import subprocess
import sys

import pytest

from nitrogen.overlay.skin import SHIPPED


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "nitrogen", "skin", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_list_and_sheet(tmp_path):
    listed = run("list", SHIPPED)
    drawn = run("sheet", "retro_grey", tmp_path / "a" / "sheet.png", "--width", 60)

    assert "nitrogen" in listed.stdout
    assert "CC0-1.0" in listed.stdout
    assert drawn.returncode == 0, drawn.stderr
    assert (tmp_path / "a" / "sheet.png").read_bytes()[:4] == b"\x89PNG"


def test_check_names_every_fault(tmp_path):
    shutil.copytree(SHIPPED / "retro_grey", tmp_path / "good")
    shutil.copytree(SHIPPED / "retro_grey", tmp_path / "bad")
    values = json.loads((tmp_path / "bad" / "skin.json").read_text())
    missing = tmp_path / "bad" / values["layers"][0]["file"]
    missing.unlink()
    done = run("check", tmp_path)

    assert done.returncode == 1
    assert f"{tmp_path / 'good'}: good" in done.stdout
    assert str(missing) in done.stdout
    assert "1 of these skins" in done.stderr


@pytest.mark.parametrize("command", ["import", "sheet"])
def test_missing_arguments_are_asked_for(command):
    assert run(command).returncode == 2
