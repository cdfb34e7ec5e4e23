"""`nitrogen games`, `nitrogen fidelity` and `nitrogen doctor`: real games on this machine."""

from json import dumps

from tyro.conf import Positional


def games(*, json: bool = False) -> None:
    """The real games that the simulator knows, and how to install those that are missing.

    Args:
        json: Print JSON.
    """
    from nitrogen.simulator.catalog import all_games
    from nitrogen.simulator.linux import is_installed

    rows = [
        {
            "name": game.name,
            "installed": is_installed(game),
            "install": f"apt-get install {' '.join(game.packages)}",
            "wants_gpu": game.wants_gpu,
        }
        for game in all_games()
    ]
    if json:
        print(dumps(rows, indent=2))
        return
    for row in rows:
        state = "installed" if row["installed"] else row["install"]
        print(f"{row['name']:17}{state}{'  (wants a GPU)' if row['wants_gpu'] else ''}")


def fidelity(game: Positional[str], /, *, frames: int = 600, seed: int = 0) -> None:
    """Does a game repeat? Replay varied input, with and without pauses; print where it differs.

    Args:
        game: A name from `nitrogen games`.
        frames: Length of the recording.
        seed: Of the input.
    """
    import numpy as np

    from nitrogen.simulator.catalog import game_named
    from nitrogen.simulator.fidelity import measure, varied_actions

    actions = varied_actions(frames, np.random.default_rng(seed))
    result = measure(game_named(game), actions)
    for difference in result.divergences():
        where = "none"
        if difference.frame is not None:
            where = f"frame {difference.frame}, {difference.virtual_s:.2f} virtual seconds"
        print(f"{difference.mode}: first difference: {where}")


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
