"""The command line: one function per command. Parses, calls one library function, prints paths.

Results go to stdout, everything else to stderr. Heavy packages are imported inside the commands.
"""

import errno
import os
import sys
from collections.abc import Callable, Sequence
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro
from tyro.conf import Positional

from nitrogen import logs
from nitrogen.errors import GameMissingError, NitrogenError, VideoError

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from nitrogen.benchmark.task import Task
    from nitrogen.extract.pipeline import ExtractConfig


def _bars() -> "Bars":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
    )


def demo(
    *, out: Path = Path("runs/demo"), episodes: int = 12, workers: int | None = None,
    json: bool = False,
) -> None:  # fmt: skip
    """Let the policy that ships with the package play: table, videos and report in under a minute.

    Args:
        out: Folder for `report.html`, the videos and `results.jsonl`.
        episodes: Episodes per task and player, on held-out seeds.
        workers: Processes; one per core by default.
        json: Print one JSON object instead of the table.
    """
    from nitrogen.demo import demo as run_demo

    with _bars() as bars:
        bar = bars.add_task("starting", total=None, note="")
        result = run_demo(
            out,
            episodes=episodes,
            workers=workers,
            on_result=lambda r: bars.update(bar, advance=1, note=f"{r.player}: {r.task}"),
            on_stage=lambda stage, total: bars.update(bar, description=stage, total=total or None),
        )
    for name, reason in result.left_out.items():
        print(f"left out: {name}: {reason}", file=sys.stderr)
    if json:
        print(result.as_json())
        return
    _print_scores(result.scores)
    for path in (*result.videos, result.report):
        print(path)


def _print_scores(rows: list[Any]) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    task = Column("task", overflow="fold")
    table = Table(task, "player", "success [95 %]", "episodes", "progress")
    for index, row in enumerate(rows):
        end = index + 1 == len(rows) or rows[index + 1].task != row.task
        table.add_row(
            row.task,
            row.player,
            str(row.rate),
            f"{row.rate.successes}/{row.rate.episodes}",
            f"{row.progress:.2f}",
            end_section=end,
        )
    Console().print(table)


def quickstart(*, out: Path = Path("runs/quickstart"), json: bool = False) -> None:
    """The whole chain from nothing, in minutes: record, extract, train, play, report.

    Run it again after an interruption: finished stages are kept.

    Args:
        out: Folder for everything; ends with `report.html`.
        json: Print one JSON object instead of the table.
    """
    from nitrogen.quickstart import Watcher
    from nitrogen.quickstart import quickstart as run_quickstart

    with _bars() as bars:

        class Show(Watcher):
            def stage(self, name: str, total: int) -> None:
                for bar in bars.tasks:
                    bars.update(bar.id, completed=bar.total or 0)
                self.bar = bars.add_task(name, total=total, note="")

            def advance(self, count: int, note: str) -> None:
                bars.update(self.bar, advance=count, note=note)

        result = run_quickstart(out, watcher=Show())
    if json:
        print(result.as_json())
        return
    _print_scores(result.scores)
    print(result.video)
    print(result.report)


def record(
    task: Positional[str], out: Positional[Path], /, *, episodes: int = 4, seed: int = 0,
    skin: str = "nitrogen", skins: Path | None = None, noise: float = 0.3,
) -> None:  # fmt: skip
    """Let the scripted expert play and write the video a streamer would, overlay and all.

    Args:
        task: For example platformer/reach_the_flag; `nitrogen benchmark --list` names them all.
        out: The video; the true pad log goes beside it as `.pad.parquet`.
        episodes: Episodes, back to back.
        seed: Of the first episode; the others follow.
        skin: The overlay's skin.
        skins: A folder with more skins.
        noise: Deviation of the noise on the sticks, which is played and shown.
    """
    import numpy as np

    from nitrogen.benchmark.suite import task as find_task
    from nitrogen.overlay.skin import find_skin
    from nitrogen.policy import CallPolicy
    from nitrogen.record import StickNoise
    from nitrogen.record import record as run_record

    chosen = find_task(task)
    env = chosen.render()
    try:
        expert = CallPolicy(env.unwrapped.expert)  # type: ignore[attr-defined]
        recording = run_record(
            env,
            StickNoise(expert, np.random.default_rng(seed), std=noise),
            out,
            skin=find_skin(skin, folders=[skins] if skins else []),
            seeds=range(seed, seed + episodes),
            frames=chosen.frames,
        )
    finally:
        env.close()
    print(recording.video)
    print(recording.truth)


def extract(
    video: Positional[Path], out: Positional[Path], /, *, skins: Path | None = None,
    game: str = "other", min_density: float = 0.5, workers: int = 1,
) -> None:  # fmt: skip
    """Read the gamepad actions out of videos that show a controller overlay.

    Args:
        video: The video, or a folder of videos; with a folder, `OUT/ledger.jsonl` says what became
            of each, and running it again goes on where it was.
        out: Where chunk folders in the published layout are written.
        skins: A folder of `padskin/1` skins to look for, beside those that ship.
        game: Name of the game, for the metadata.
        min_density: Chunks with a smaller share of active frames are dropped.
        workers: Videos that are read at the same time.
    """
    from nitrogen.extract.pipeline import ExtractConfig
    from nitrogen.extract.pipeline import extract as run_extract
    from nitrogen.overlay.skin import load_skins, shipped_skins

    if not video.exists():
        raise VideoError(f"no video {video}")
    config = ExtractConfig(game=game, min_density=min_density)
    if video.is_dir():
        _extract_folder(video, out, skins, config, workers)
        return
    known = [*shipped_skins(), *(load_skins(skins) if skins else [])]
    with _bars() as bars:
        bar = bars.add_task(video.name, total=None, note="")
        done = run_extract(
            video,
            out,
            skins=known,
            config=config,
            on_progress=lambda count, total: bars.update(bar, completed=count, total=total),
        )
    print(
        f"{done.found.skin.name} at {done.found.box}, confidence {done.confidence:.2f};"
        f" {len(done.chunks)} chunks written, {done.idle} idle and {done.hidden} hidden left out",
        file=sys.stderr,
    )
    for folder in done.chunks:
        print(folder)


def _extract_folder(
    folder: Path, out: Path, skins: Path | None, config: "ExtractConfig", workers: int
) -> None:
    from nitrogen.extract.batch import extract_all, find_videos
    from nitrogen.overlay.skin import SHIPPED

    roots = [SHIPPED, *([skins] if skins else [])]
    videos = find_videos(folder)
    with _bars() as bars:
        bar = bars.add_task(folder.name, total=len(videos), note="")
        entries = extract_all(
            videos,
            out,
            skins=[path.parent for root in roots for path in sorted(root.glob("*/skin.json"))],
            config=config,
            workers=workers,
            on_done=lambda entry, done, total: bars.update(
                bar, completed=done, total=total, note=f"{entry.video_id}: {entry.chunks} chunks"
            ),
        )
    for entry in entries:
        if entry.cause:
            print(f"left out: {entry.video}: {entry.cause}", file=sys.stderr)
    print(out / "ledger.jsonl")


def extract_eval(chunks: Positional[Path], truth: Positional[Path], /) -> None:
    """Compare the extracted chunks of one video with its true pad log; prints JSON.

    Args:
        chunks: Folder of the video's chunks.
        truth: The `.pad.parquet` that was recorded with the video.
    """
    from nitrogen.extract.evaluate import evaluate

    print(dumps(evaluate(chunks, truth).as_dict(), indent=2))


def train(
    recipe: Positional[str], /, *, data: Path, videos: Path, out: Path,
    start_from: Path | None = None, resume: bool = False, steps: int | None = None,
) -> None:  # fmt: skip
    """Train a policy on chunk folders and their videos.

    Args:
        recipe: debug, quickstart, demo or pretrain.
        data: Chunk folders, as `nitrogen extract` writes them.
        videos: Folder with the videos, named <video_id>.mp4.
        out: Folder for the run; the finished policy is OUT/policy.
        start_from: A checkpoint folder to fine-tune.
        resume: Go on with the run in OUT.
        steps: Instead of the recipe's.
    """
    from dataclasses import replace

    from nitrogen.data import frames
    from nitrogen.data.curate import split_of
    from nitrogen.data.samples import Run, Samples
    from nitrogen.data.store import list_chunks
    from nitrogen.train.loop import train as run_train
    from nitrogen.train.recipes import recipe as find_recipe

    settings = find_recipe(recipe)
    settings = replace(settings, steps=steps or settings.steps)
    size, chunks = settings.network.vision.image_size, list_chunks(data)
    with _bars() as bars:
        bar = bars.add_task("preparing frames", total=len(chunks), note="")
        frames.prepare(
            chunks,
            lambda name: videos / f"{name}.mp4",
            size=size,
            on_chunk=lambda chunk: bars.update(bar, advance=1),
        )
        runs: dict[str, list[Run]] = {"train": [], "validation": [], "test": []}
        for group in frames.stretches(chunks):
            runs[split_of(group[0].video_id)].append(
                Run(group[0].folder.name, *frames.joined(group, size))
            )
        shape = {"horizon": settings.network.horizon, "shift": settings.network.action_shift}
        bar = bars.add_task("training", total=settings.steps, note="")
        folder = run_train(
            settings,
            Samples(runs["train"], **shape),
            out,
            validation=Samples(runs["validation"], **shape) if runs["validation"] else None,
            start_from=start_from,
            resume=resume,
            on_progress=lambda p: bars.update(
                bar, completed=p.step, note=f"loss {p.loss:.4f}, {p.images_per_s:.0f} images/s"
            ),
        )
    print(folder)


def play(
    task: Positional[str], /, *, out: Path = Path("runs/play.mp4"), policy: Path | str = "shipped",
    seed: int = 1_000_000, execute: int = 4, steps: int = 4,
    temperature: float = 1.0,
) -> None:  # fmt: skip
    """Let a policy play one episode and film it with its pad and its plan.

    Args:
        task: For example doom/defend_the_center.
        out: The video.
        policy: A checkpoint folder; `shipped` is the one that comes with the package.
        seed: Decides level and start.
        execute: Actions played of each plan.
        steps: Euler steps of a plan.
        temperature: Of the initial noise; 0 always takes the central plan.
    """
    from nitrogen.benchmark.suite import task as find_task
    from nitrogen.model.inference import ModelPolicy
    from nitrogen.shipped import WEIGHTS
    from nitrogen.watch import film

    chosen = find_task(task)
    reason = chosen.missing()
    if reason is not None:
        raise GameMissingError(f"{task}: {reason}")
    folder = WEIGHTS if policy == "shipped" else Path(policy)
    player = ModelPolicy.from_pretrained(folder, steps=steps, temperature=temperature)
    episode = film(
        chosen.render, player, out, title=task, seed=seed, frames=chosen.frames, execute=execute
    )
    print(f"{'success' if episode.success else 'no success'} after {episode.frames} frames,"
          f" progress {episode.progress:.2f}", file=sys.stderr)  # fmt: skip
    print(out)


def benchmark(
    tasks: Positional[tuple[str, ...]] = (), /, *, policy: Path | str | None = None,
    episodes: int = 20, out: Path = Path("runs/benchmark"), execute: int = 4,
    workers: int | None = None, list: bool = False, json: bool = False,
) -> None:  # fmt: skip
    """Success rates of a policy, the expert and the baselines over seeded episodes.

    Run it again after an interruption: episodes that were played are kept.

    Args:
        tasks: Names of tasks; all that can run here if none is given.
        policy: A checkpoint folder, or `shipped`; only expert and baselines if left out.
        episodes: Per task and player, on held-out seeds.
        out: Folder for `results.jsonl`.
        execute: Actions played of each plan.
        workers: Processes; one per core by default.
        list: Only list the tasks.
        json: Print JSON.
    """
    from nitrogen.benchmark.results import as_json, scores
    from nitrogen.benchmark.run import BASELINE_PLAYERS, EXPERT, Player, run
    from nitrogen.benchmark.suite import ALL_TASKS
    from nitrogen.benchmark.suite import task as find_task
    from nitrogen.shipped import WEIGHTS, load_policy

    if list:
        _list_tasks(ALL_TASKS, json=json)
        return
    chosen = [find_task(name) for name in tasks] or [t for t in ALL_TASKS if t.missing() is None]
    players = [EXPERT, *BASELINE_PLAYERS]
    if policy is not None:
        make = load_policy(WEIGHTS if policy == "shipped" else Path(policy))
        players.insert(0, Player(name="policy", batch_policy=make, execute=execute))
    with _bars() as bars:
        bar = bars.add_task("episodes", total=len(chosen) * len(players) * episodes, note="")
        results = run(
            chosen,
            players,
            episodes=episodes,
            out=out / "results.jsonl",
            workers=workers,
            on_result=lambda r: bars.update(bar, advance=1, note=f"{r.player}: {r.task}"),
        )
    rows = scores(results)
    if json:
        print(as_json(rows))
    else:
        _print_scores(rows)
        print(out / "results.jsonl")


def _list_tasks(tasks: Sequence["Task"], *, json: bool) -> None:
    rows = [
        {
            "name": task.name,
            "suite": task.suite,
            "game": task.game,
            "view": task.view,
            "kind": task.kind,
            "goal": task.goal,
            "missing": task.missing(),
        }
        for task in tasks
    ]
    if json:
        print(dumps(rows, indent=2))
        return
    for row in rows:
        print(f"{row['name']}: {row['goal']} ({row['view']}, {row['kind']})")
        if row["missing"]:
            print(f"    cannot run here: {row['missing']}")


def serve(
    checkpoint: Positional[str], /, *, host: str = "127.0.0.1", port: int = 8765,
    token: str | None = None, max_batch: int = 8, max_wait_ms: float = 5.0, device: str = "cpu",
) -> None:  # fmt: skip
    """Offer a policy to players on other machines or without torch, over WebSocket.

    Args:
        checkpoint: A checkpoint folder, a published ng.pt, a hub id, or `shipped`.
        host: Address to listen on; loopback by default.
        port: Port; `http://HOST:PORT/health` answers 200 when the policy is warm.
        token: Clients must give this word.
        max_batch: Most requests planned in one call.
        max_wait_ms: Longest wait for others to join a batch.
        device: Where the network runs.
    """
    from nitrogen.model.inference import ModelPolicy
    from nitrogen.serve.server import PolicyServer, ServeConfig
    from nitrogen.serve.wire import Info
    from nitrogen.shipped import WEIGHTS

    logs.set_up(verbose=True)
    source = WEIGHTS if checkpoint == "shipped" else checkpoint
    policy = ModelPolicy.from_pretrained(source, device=device)
    info = Info(
        name=checkpoint,
        horizon=policy.horizon,
        rate_hz=policy.config.rate_hz,
        frames=policy.config.frames,
    )
    settings = ServeConfig(
        host=host, port=port, token=token, max_batch=max_batch, max_wait_ms=max_wait_ms
    )
    PolicyServer(policy, info, settings).run()


def convert(
    source: Positional[Path], folder: Positional[Path], /, *, vision_heads: int | None = None,
    storage: Literal["float32", "float16", "bfloat16"] = "float32",
) -> None:  # fmt: skip
    """Turn a checkpoint in the published format (ng.pt) into one of ours.

    Args:
        source: The published file; read without running anything that is in it.
        folder: Where `config.json` and `model.safetensors` are written.
        vision_heads: Attention heads of the tower, where its name does not tell.
        storage: Number format of the weights in the file.
    """
    from nitrogen.model import published

    print(published.convert(source, folder, vision_heads=vision_heads, storage=storage))


def bench(
    what: Positional[Literal["policy"]], checkpoint: Positional[str] = "shipped", /, *,
    threads: int = 1, json: bool = False,
) -> None:  # fmt: skip
    """Where the time of a plan goes: latency table of a policy on this machine.

    Args:
        what: The thing to measure.
        checkpoint: A checkpoint folder, a published ng.pt, a hub id, or `shipped`.
        threads: Processor threads.
        json: Print JSON.
    """
    import torch

    from nitrogen.model import hub, latency
    from nitrogen.shipped import WEIGHTS

    torch.set_num_threads(threads)
    measured = latency.measure(hub.load(WEIGHTS if checkpoint == "shipped" else checkpoint))
    print(dumps(measured.to_values(), indent=2) if json else latency.table(measured))


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


COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo,
    "quickstart": quickstart,
    "record": record,
    "extract": extract,
    "extract-eval": extract_eval,
    "train": train,
    "play": play,
    "benchmark": benchmark,
    "serve": serve,
    "convert": convert,
    "bench": bench,
    "games": games,
    "fidelity": fidelity,
    "doctor": doctor,
}


def main() -> None:
    """Run the command of `sys.argv`; exit 1 with one line on stderr if nitrogen refuses."""
    logs.set_up(verbose=os.environ.get("NITROGEN_VERBOSE") == "1")
    try:
        tyro.extras.subcommand_cli_from_dict(COMMANDS, prog="nitrogen", description=__doc__)
    except NitrogenError as error:
        print(f"nitrogen: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "safetensors"):
            raise
        print(f"nitrogen: this needs {error.name}: pip install 'nitrogen[train]'", file=sys.stderr)
        raise SystemExit(1) from error
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
