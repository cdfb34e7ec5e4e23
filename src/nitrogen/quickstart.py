"""`nitrogen quickstart`: the whole chain, from nothing, on a built-in game, on a laptop.

An expert plays; a streamer's video with a controller overlay is written; the overlay is found and
read from the video alone; a policy is trained on what was read, and a second one on the true pad
logs; both play held-out levels beside every baseline. Each stage is kept: an interrupted run goes
on where it was.
"""

import functools
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nitrogen import config as configs
from nitrogen import files
from nitrogen.actions import Actions
from nitrogen.benchmark.config import RunConfig
from nitrogen.benchmark.results import Score, add_rates, as_json, scores
from nitrogen.benchmark.run import BASELINE_PLAYERS, EXPERT, Player, run
from nitrogen.benchmark.suite import task as find_task
from nitrogen.benchmark.task import Task
from nitrogen.data import frames as frame_store
from nitrogen.data.prepare import prepare
from nitrogen.data.store import Chunk, list_chunks
from nitrogen.data.truth import read_truth, truth_path
from nitrogen.errors import ConfigError, DataError, MissingDependencyError, NitrogenError
from nitrogen.extract.evaluate import evaluate
from nitrogen.extract.pipeline import ExtractConfig, extract
from nitrogen.logs import read_metrics
from nitrogen.overlay.skin import shipped_skins
from nitrogen.policy import CallPolicy
from nitrogen.processes import die_with_parent
from nitrogen.record import RecordConfig, StickNoise, record
from nitrogen.report import Report
from nitrogen.shipped import EXECUTE, one_thread_policy
from nitrogen.watch import film

if TYPE_CHECKING:
    from nitrogen.data.samples import Run

FORMAT = "nitrogen.quickstart/1"
CORNERS = ("bottom_right", "bottom_left", "top_right", "top_left")
LABELS = ("extracted", "truth")
"""What the two policies learn from: labels read off the video, and the true pad log."""


@dataclass(frozen=True, kw_only=True)
class QuickstartConfig:
    """How much of everything; the defaults take under 15 minutes on two cores."""

    task: str = "racer/finish_a_lap"
    videos: int = 6
    episodes_per_video: int = 5
    stick_noise: float = 0.3
    """Deviation of the noise that is played, shown and labelled, so that recoveries are seen."""
    train_steps: int = 1_500
    batch: int = 64
    play_episodes: int = 40
    seed: int = 0


@dataclass(frozen=True)
class Quickstart:
    """What the run came to."""

    scores: list[Score]
    extraction: dict[str, Any]
    seconds: dict[str, float]
    report: Path
    video: Path

    def as_json(self) -> str:
        """One JSON object."""
        return as_json(
            self.scores,
            extraction=self.extraction,
            seconds=self.seconds,
            report=str(self.report),
            video=str(self.video),
        )


class Watcher:
    """Is told how far the run is; does nothing by itself."""

    def stage(self, name: str, total: int) -> None:
        """A stage of `total` parts begins."""

    def advance(self, count: int, note: str) -> None:
        """`count` more parts are done."""


def quickstart(
    out: Path, config: QuickstartConfig | None = None, *, watcher: Watcher | None = None
) -> Quickstart:
    """Run, or go on with, the whole chain in `out`.

    Raises ConfigError if `out` holds a run with another configuration, MissingDependencyError
    without torch, and what the stages raise; whatever was finished by then is kept.
    """
    chain = Chain(out, config or QuickstartConfig(), watcher or Watcher())
    chain.record()
    chain.extract()
    chain.prepare()
    chain.train()
    results = chain.play()
    return chain.report(results)


class Chain:
    """The stages, each skipped if it was finished before."""

    def __init__(self, out: Path, config: QuickstartConfig, watcher: Watcher) -> None:
        """Raises ConfigError if `out` holds a chain with another configuration."""
        try:
            import torch  # noqa: F401
        except ImportError as error:
            raise MissingDependencyError(
                "training needs torch; install it with pip install 'nitrogen[train]'"
            ) from error
        self.out, self.config, self.watcher = out, config, watcher
        self.task: Task = find_task(config.task)
        self.videos = [out / "videos" / f"video_{index:02d}.mp4" for index in range(config.videos)]
        self.chunks_root = out / "chunks"
        out.mkdir(parents=True, exist_ok=True)
        text = configs.to_json(config, format=FORMAT)
        path = out / "quickstart.json"
        if path.exists() and path.read_text() != text:
            raise ConfigError(
                f"{out} holds a quickstart with other settings ({path}); choose another folder,"
                " or delete this one to start over"
            )
        path.write_text(text)

    @contextmanager
    def _stage(self, name: str, total: int) -> Iterator[bool]:
        """Yields whether the stage has to be run; remembers its wall time when it is finished."""
        done = self.out / "stages" / f"{name}.json"
        if done.exists():
            yield False
            return
        self.watcher.stage(name, total)
        start = time.time()
        yield True
        done.parent.mkdir(exist_ok=True)
        files.write_text(done, json.dumps({"seconds": round(time.time() - start, 1)}))

    def _parallel(self, work: Callable[..., int], jobs: list[tuple[Any, ...]]) -> None:
        """Run the jobs in two processes; advance by what each returns."""
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(2, context, die_with_parent) as pool:
            futures: list[Future[int]] = [pool.submit(work, *job) for job in jobs]
            try:
                for future in as_completed(futures):
                    self.watcher.advance(future.result(), "")
            except NitrogenError:
                pool.shutdown(cancel_futures=True)
                raise

    def record(self) -> None:
        """The expert plays, the videos and the true pad logs are written."""
        with self._stage("record", len(self.videos)) as wanted:
            if wanted:
                jobs = [(self.config, index, video) for index, video in enumerate(self.videos)]
                self._parallel(_record_one, jobs)

    def extract(self) -> None:
        """From the videos alone: overlay, actions, chunk folders."""
        with self._stage("extract", len(self.videos)) as wanted:
            if wanted:
                jobs = [(video, self.chunks_root, self.task.game) for video in self.videos]
                self._parallel(_extract_one, jobs)

    def prepare(self) -> None:
        """Frames at the policy's size, overlay masked."""
        with self._stage("prepare", len(self.videos)) as wanted:
            if wanted:
                self._parallel(_prepare_one, [(video, self.chunks_root) for video in self.videos])

    def train(self) -> None:
        """Both policies at once, one core each."""
        with self._stage("train", 2 * self.config.train_steps) as wanted:
            if not wanted:
                return
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(2, context, die_with_parent) as pool:
                futures = [pool.submit(_train_one, self.config, self.out, n) for n in LABELS]
                done = 0
                while not all(future.done() for future in futures):
                    time.sleep(0.5)
                    rows = [self._metrics(name) for name in LABELS]
                    steps = [row[-1]["step"] if row else 0 for row in rows]
                    note = ", ".join(f"loss {row[-1]['loss']:.3f}" for row in rows if row)
                    self.watcher.advance(sum(steps) - done, note)
                    done = sum(steps)
                for future in futures:
                    future.result()

    def _metrics(self, name: str) -> list[dict[str, Any]]:
        path = self.out / f"train-{name}" / "metrics.jsonl"
        rows = read_metrics(path) if path.exists() else []
        return [row for row in rows if row["kind"] == "train"]

    def play(self) -> list[Score]:
        """Both policies, the expert and the baselines on held-out levels."""
        players = [
            Player(name="policy", batch_policy=self._policy("extracted"), execute=EXECUTE),
            Player(name="policy (true log)", batch_policy=self._policy("truth"), execute=EXECUTE),
            EXPERT,
            *BASELINE_PLAYERS,
        ]
        total = len(players) * self.config.play_episodes
        with self._stage("play", total):
            results = run(
                [self.task],
                players,
                RunConfig(episodes=self.config.play_episodes),
                out=self.out / "results.jsonl",
                on_result=lambda result: self.watcher.advance(1, result.player),
            )
        rows = {row.player: row for row in scores(results)}
        return [rows[player.name] for player in players]

    def _policy(self, name: str) -> Callable[[], Any]:
        return functools.partial(one_thread_policy, self.out / f"train-{name}" / "policy")

    def report(self, rows: list[Score]) -> Quickstart:
        """Clip, curves, tables, in one file."""
        video = self.out / "policy.mp4"
        with self._stage("film", 1) as wanted:
            if wanted:
                film(
                    self.task.render,
                    self._policy("extracted")(),
                    video,
                    title=f"trained on labels read from video  -  {self.task.name}",
                    seed=1_000_000,
                    frames=self.task.frames,
                    execute=EXECUTE,
                )
                self.watcher.advance(1, "")
        extraction = _extraction_scores(self.chunks_root, self.videos)
        seconds = {
            path.stem: json.loads(path.read_text())["seconds"]
            for path in sorted(
                (self.out / "stages").glob("*.json"), key=lambda path: path.stat().st_mtime
            )
        }
        report = self._write_report(rows, extraction, seconds, video)
        return Quickstart(rows, extraction, seconds, report, video)

    def _write_report(
        self, rows: list[Score], extraction: dict[str, Any], seconds: dict[str, float], video: Path
    ) -> Path:
        report = Report(
            "nitrogen quickstart",
            "From a gameplay video with a controller overlay to a policy that plays: recorded,"
            " extracted, trained and measured on this machine.",
        )
        add_rates(report, [self.task], rows)
        report.clip("The policy trained on extracted labels plays a held-out level", video)
        report.table(
            "Extraction against the true pad log",
            ["video", "button accuracy", "button F1", "stick R²", "chunks", "rows kept"],
            [
                [
                    name,
                    f"{one['accuracy']:.4f}",
                    f"{one['f1']:.4f}",
                    f"{one['stick_r2']:.4f}",
                    str(one["chunks"]),
                    str(one["rows"]),
                ]
                for name, one in extraction.items()
            ],
            note="Only the video was read; the log served to measure.",
        )
        curves = {}
        for name in LABELS:
            metrics = self._metrics(name)
            curves[f"{name} labels"] = (
                [float(row["step"]) for row in metrics],
                [float(row["loss"]) for row in metrics],
            )
        report.curves("Training loss", curves, x="step", y="flow-matching loss", log_y=True)
        total = sum(seconds.values())
        report.table(
            "Wall time",
            ["stage", "seconds"],
            [*([name, f"{value:.0f}"] for name, value in seconds.items()), ["all", f"{total:.0f}"]],
        )
        path = self.out / "report.html"
        report.write(path)
        return path


def _record_one(config: QuickstartConfig, index: int, path: Path) -> int:
    if truth_path(path).exists():
        return 1
    task = find_task(config.task)
    env = task.render()
    rng = np.random.default_rng([config.seed, index])
    expert: Callable[[], Actions] = env.unwrapped.expert  # type: ignore[attr-defined]
    skins = shipped_skins()
    first = 10_000 * config.seed + index * config.episodes_per_video
    try:
        record(
            env,
            StickNoise(CallPolicy(expert), rng, std=config.stick_noise),
            path,
            skin=skins[index % len(skins)],
            seeds=range(first, first + config.episodes_per_video),
            frames=task.frames,
            config=RecordConfig(
                corner=CORNERS[index % len(CORNERS)],
                width=float(rng.uniform(0.18, 0.24)),
                opacity=float(rng.uniform(0.8, 1.0)),
            ),
        )
    finally:
        env.close()
    return 1


def _extract_one(video: Path, root: Path, game: str) -> int:
    extract(video, root, skins=shipped_skins(), config=ExtractConfig(game=game))
    return 1


def _chunks_of(root: Path, video: Path) -> list[Chunk]:
    return [chunk for chunk in list_chunks(root) if chunk.video_id == video.stem]


def _prepare_one(video: Path, root: Path) -> int:
    done = prepare(_chunks_of(root, video), lambda name: video, size=_image_size(), store="raw")
    for skip in (skip for one in done for skip in one.skips):
        raise DataError(f"{skip.chunk}: {skip.cause}")
    return 1


def _image_size() -> int:
    from nitrogen.model.presets import preset

    return preset("tiny").vision.image_size


def labelled_runs(out: Path, labels: str) -> "list[Run]":
    """The prepared frames in `out` with labels read from the videos, or with the true log."""
    from nitrogen.data.samples import Run

    size, runs = _image_size(), []
    for group in frame_store.stretches(list_chunks(out / "chunks")):
        frames, actions = frame_store.joined(group, size)
        if labels == "truth":
            truth = read_truth(truth_path(out / "videos" / f"{group[0].video_id}.mp4"))
            start = group[0].start_frame
            actions = truth.actions[start : start + len(frames)]
        runs.append(Run(group[0].folder.name, frames, actions))
    return runs


def _train_one(config: QuickstartConfig, out: Path, labels: str) -> Path:
    """Train on the same frames with the labels read from the video, or with the true log."""
    import torch

    from nitrogen.data.samples import Samples
    from nitrogen.train.loop import train
    from nitrogen.train.recipes import quickstart as recipe

    torch.set_num_threads(1)
    runs = labelled_runs(out, labels)
    settings = replace(recipe(), steps=config.train_steps, batch=config.batch, seed=config.seed)
    return train(
        settings,
        Samples(runs, horizon=settings.network.horizon),
        out / f"train-{labels}",
        resume=True,
    )


def _extraction_scores(root: Path, videos: list[Path]) -> dict[str, Any]:
    """Per video: what was read against what was pressed."""
    found = {}
    for video in videos:
        score = evaluate(root / video.stem, truth_path(video)).read
        chunks = _chunks_of(root, video)
        found[video.stem] = {
            "accuracy": score.accuracy,
            "f1": score.f1,
            "stick_r2": score.stick_r2,
            "chunks": len(chunks),
            "rows": sum(chunk.metadata.chunk_size for chunk in chunks),
        }
    return found
