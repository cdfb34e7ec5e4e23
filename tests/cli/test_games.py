import json
import subprocess
import sys

import pytest

from nitrogen.simulator import catalog, registration


def nitrogen(*words):
    return subprocess.run(
        [sys.executable, "-m", "nitrogen", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_games_are_listed_with_ids_and_what_is_missing():
    rows = json.loads(nitrogen("games", "--json").stdout)
    assert [row["name"] for row in rows] == list(catalog.NAMES)
    assert [row["id"] for row in rows] == list(registration.IDS)
    (kart,) = [row for row in rows if row["name"] == "supertuxkart"]
    assert kart["wants_gpu"]
    assert kart["install"] == "apt-get install supertuxkart"
    lines = nitrogen("games").stdout.splitlines()
    assert len(lines) == len(rows) + 1
    assert all(row["id"] in line for row, line in zip(rows, lines[1:], strict=True))


def test_doctor_prints_each_check_and_its_remedy():
    done = nitrogen("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert {"C compiler", "agent", "virtual display", "OpenGL on the processor", "PyTorch", "GPU",
            "temporary folder", "keys on X11", "memory of games"} <= set(checks)  # fmt: skip
    assert done.returncode == int(any(check["state"] == "missing" for check in checks.values()))


@pytest.mark.parametrize("words", [("--runs", "0"), ("--frames", "0")])
def test_senseless_fidelity_is_refused(words):
    done = nitrogen("fidelity", "starfighter", *words)
    assert done.returncode == 1
    assert "must be at least 1" in done.stderr
