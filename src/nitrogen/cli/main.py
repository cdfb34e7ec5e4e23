"""The command line. Each command parses, calls one library function and prints paths.

Results go to stdout, everything else to stderr. Heavy packages are imported inside the commands.
"""

import errno
import os
import sys
from collections.abc import Callable

import tyro

from nitrogen import logs
from nitrogen.cli import (
    benchmark,
    demonstrate,
    evaluate,
    exchange,
    experiment,
    extract,
    fit,
    games,
    overlays,
    play,
    policy,
    prepare,
    results,
    skins,
    start,
    train,
    view,
)
from nitrogen.errors import NitrogenError

COMMANDS: dict[str, Callable[..., None]] = {
    "demo": start.demo,
    "quickstart": start.quickstart,
    "record": overlays.record,
    "synth": overlays.synth,
    "skin": skins.skin,
    "extract": extract.extract,
    "extract-eval": evaluate.extract_eval,
    "fit": fit.fit,
    "import": exchange.import_data,
    "export": exchange.export_data,
    "prepare": prepare.prepare,
    "view": view.view,
    "train": train.train,
    "play": play.play,
    "benchmark": benchmark.benchmark,
    "results": results.results,
    "demonstrate": demonstrate.demonstrate,
    "serve": policy.serve,
    "convert": policy.convert,
    "bench": policy.bench,
    "games": games.games,
    "fidelity": games.fidelity,
    "doctor": games.doctor,
    "experiment": experiment.experiment,
}


def main() -> None:
    """Run the command of `sys.argv`; exit 1 with one line on stderr if nitrogen refuses."""
    logs.set_up(verbose=os.environ.get("NITROGEN_VERBOSE") == "1")
    try:
        words = train.expanded(sys.argv[1:])
        tyro.extras.subcommand_cli_from_dict(
            COMMANDS, prog="nitrogen", description=__doc__, args=words
        )
    except NitrogenError as error:
        print(f"nitrogen: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "safetensors"):
            raise
        print(f"nitrogen: this needs {error.name}: pip install 'nitrogen[train]'", file=sys.stderr)
        raise SystemExit(1) from error
    except BrokenPipeError:  # whoever read our output, such as `head`, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(
            f"nitrogen: {error}; what was complete is kept: free some space and run the same"
            " command again",
            file=sys.stderr,
        )
        raise SystemExit(1) from error
    except KeyboardInterrupt:
        print("nitrogen: interrupted; run the same command again to go on", file=sys.stderr)
        raise SystemExit(130) from None
