"""`nitrogen games`, `nitrogen fidelity` and `nitrogen doctor`: real games on this machine."""

import sys
from json import dumps
from pathlib import Path

from tyro.conf import Positional

from nitrogen.errors import GameError


def games(*, json: bool = False) -> None:
    """The real games that the simulator knows, and how to install those that are missing.

    Args:
        json: Print JSON.
    """
    from nitrogen.simulator.catalog import all_games
    from nitrogen.simulator.linux import is_installed
    from nitrogen.simulator.registration import IDS

    ids = {name: game_id for game_id, name in IDS.items()}
    rows = [
        {
            "name": game.name,
            "id": ids[game.name],
            "title": game.title,
            "installed": is_installed(game),
            "install": f"apt-get install {' '.join(game.packages)}",
            "wants_gpu": game.wants_gpu,
            "deterministic": game.deterministic,
            "saves": game.saves,
            "rate_hz": round(game.rate_hz, 2),
            "controls": "keys" if game.keys else "pad",
            "draws": {"none": "software", "offscreen": "OpenGL", "x11": "X11"}[game.display],
        }
        for game in all_games()
    ]
    if json:
        print(dumps(rows, indent=2))
        return
    print(f"{'name':17}{'id':30}{'draws':10}{'reads':7}{'Hz':>5}  {'repeats':9}{'saves':8}state")
    for row in rows:
        state = "installed" if row["installed"] else row["install"]
        gpu = "  (wants a GPU)" if row["wants_gpu"] else ""
        exact = "yes" if row["deterministic"] else "not sure"
        print(
            f"{row['name']:17}{row['id']:30}{row['draws']:10}{row['controls']:7}"
            f"{row['rate_hz']:5.0f}  {exact:9}{row['saves']:8}{state}{gpu}"
        )


def fidelity(
    game: Positional[str], /, *, frames: int = 600, runs: int = 2, seed: int = 0,
    out: Path | None = None, json: bool = False,
) -> None:  # fmt: skip
    """Does a game repeat? Replay varied input and print where the replays first differ.

    The input is replayed stepped, stepped with real pauses, and, as the control, free-running in
    real time, with pauses and without.

    Args:
        game: A name from `nitrogen games`.
        frames: Length of the input.
        runs: Replays of each kind.
        seed: Of the input.
        out: Folder for fidelity.json, fidelity.png and fidelity.html.
        json: Print JSON.
    """
    import numpy as np

    from nitrogen.simulator.catalog import game_named
    from nitrogen.simulator.fidelity import MODES, STEPPED, measure, varied_actions
    from nitrogen.simulator.fidelity_report import as_json, in_words, write

    if runs < 1 or frames < 1:
        raise GameError(f"runs and frames must be at least 1, not {runs} and {frames}")
    actions = varied_actions(frames, np.random.default_rng(seed))
    modes = (STEPPED, *(mode for mode in MODES for _ in range(runs)))
    result = measure(
        game_named(game), actions, modes=modes,
        on_replay=lambda replay: print(f"replayed: {replay.mode}", file=sys.stderr),
    )  # fmt: skip
    files = write(result, out) if out is not None else []
    if json:
        print(as_json(result))
        return
    for difference in result.divergences():
        print(f"{difference.mode}: first difference: {in_words(difference)}")
    print(*files, sep="\n", end="\n" if files else "")


def doctor(*, json: bool = False) -> None:
    """What works on this machine, and the command that mends each gap.

    Args:
        json: Print JSON.
    """
    from dataclasses import asdict

    from nitrogen.doctor import examine, is_ready

    checks = examine()
    if json:
        print(dumps([asdict(check) for check in checks], indent=2))
    else:
        for check in checks:
            print(f"{check.state:9}{check.name}: {check.detail}")
            if check.remedy:
                print(f"         -> {check.remedy}")
    if not is_ready(checks):
        raise SystemExit(1)
