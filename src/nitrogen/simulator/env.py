"""`GameEnv`: one game as a Gymnasium environment; one step is one presented frame.

Knows sessions, judges and what an environment promises. Knows nothing of processes or of policies.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from nitrogen.actions import BUTTON_INDEX, BUTTONS, FRAME_SIZE, STICKS, Actions, Frame, Step
from nitrogen.errors import GameError
from nitrogen.simulator.channel import GameEnded
from nitrogen.simulator.game import Game, Judge, Verdict, View
from nitrogen.simulator.session import SavedGame, Session, SessionView


@dataclass(eq=False)
class GameState:
    """A save-state of an environment: give it to `restore`. Ends with the environment."""

    saved: SavedGame
    judge: Judge
    verdict: Verdict
    start_ns: int
    start_frame: int


class GameEnv(gymnasium.Env[Frame, Step]):
    """A game, frame by frame on a virtual clock.

    Observation: (256, 256, 3) uint8 RGB, the whole picture squashed by an area filter. Action:
    `{"buttons": (17,), "sticks": (4,)}`, held while the game makes the next frame. Reward 0.
    `info`: `frame_index`, `virtual_time_s` (both since the episode began), `success`, `progress`,
    `events`, `values` (numbers that the judge reads from the game). `metadata` declares what the
    game can do.

    Raises, from `reset`: AgentMissingError, GameMissingError, GameExitedError, GameTimeoutError;
    from `step`: ActionsError for a bad action, GameExitedError if the game crashed,
    GameTimeoutError if it hangs.
    """

    metadata: dict[str, Any]

    def __init__(
        self,
        game: Game | Callable[[int], Game],
        *,
        render_mode: str | None = None,
        hold: int = 1,
    ) -> None:
        """`game`: the game, or what chooses it by the seed of an episode.

        `hold`: each action is held for so many frames; only the last of them is looked at.
        """
        if render_mode not in (None, "rgb_array"):
            raise GameError(f"render_mode must be 'rgb_array' or None, not {render_mode!r}")
        self.render_mode = render_mode
        self._choose: Callable[[int], Game] = game if callable(game) else lambda seed: game
        self._hold = 1
        self._session: Session | None = None
        self._start: GameState | None = None
        self._state: GameState | None = None
        self._picture: Frame | None = None
        self._observation: Frame | None = None
        self._frame_index = 0
        self._time_s = 0.0
        self._is_closed = False
        self.observation_space = spaces.Box(0, 255, (FRAME_SIZE, FRAME_SIZE, 3), np.uint8)
        self.action_space = spaces.Dict(  # type: ignore[assignment]  # its values are arrays
            buttons=spaces.Box(0.0, 1.0, (len(BUTTONS),), np.float32),
            sticks=spaces.Box(-1.0, 1.0, (len(STICKS),), np.float32),
        )
        self.game = self._choose(0)
        self.hold(hold)

    def hold(self, frames: int) -> None:
        """Hold each action for so many frames from now on; only the last of them is looked at."""
        if frames < 1:
            raise GameError(f"hold must be at least 1 frame, not {frames}")
        self._hold = frames
        self._describe(self.game)

    def _describe(self, game: Game) -> None:
        self.game = game
        self.rate_hz = game.rate_hz / self._hold
        self._locked = [BUTTON_INDEX[name] for name in game.locked]
        self.metadata = {
            "render_modes": ["rgb_array"],
            "render_fps": self.rate_hz,
            "native_rate_hz": game.rate_hz,
            "exact_stepping": True,
            "deterministic": game.deterministic,
            "saves": game.saves,
            "locked": game.locked,
            "seeded": game.seeded,
            "headless": True,
        }

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Frame, dict[str, Any]]:
        """Begin an episode; `seed` decides everything random, and the level where several are."""
        super().reset(seed=seed)
        if options:
            raise GameError(f"reset takes no options, not {sorted(options)}")
        if self._is_closed:
            raise GameError("this environment is closed; make a new one")
        if seed is None:
            seed = int(self.np_random.integers(2**31))
        game = self._choose(seed)
        start_seed = seed if game.seeded else 0
        session = self._session
        if session is None or session.game != game or session.seed != start_seed:
            self._start_session(game, start_seed)
        else:
            assert self._start is not None
            self.restore(self._start)
        return self._look(), self.info()

    def _start_session(self, game: Game, seed: int) -> None:
        self._end_session()
        self._describe(game)
        self._session = session = Session(game, seed=seed)
        try:
            session.play(game.startup)
        except GameEnded as end:
            self._end_session()
            raise GameError(
                f"{game.name} ended (status {end.status}) during its start-up presses; check"
                " Game.startup"
            ) from end
        last = session.channel.last
        judge = game.judge()
        verdict = judge.on_start(SessionView(session, last.time_ns))
        self._state = self._start = GameState(
            session.save(), judge, verdict, last.time_ns, last.frame
        )
        self._begin_at(self._start)

    def step(self, action: Step) -> tuple[Frame, float, bool, bool, dict[str, Any]]:
        """Hold `action` until the next frame. Raises ActionsError if it is not one."""
        self.send(action)
        return self.receive()

    def send(self, action: Step, *, frames: int | None = None) -> None:
        """The first half of a step, for stepping several games at once: let the game go.

        With `frames` the action is held for so many, and only the last of them is looked at.
        """
        row = Actions.from_step(action)
        session, state = self._live()
        if self._locked:
            buttons = row.buttons.copy()
            buttons[:, self._locked] = 0.0
            row = Actions(buttons, row.sticks)
        try:
            session.send(row, frames=frames or self._hold)
        except GameEnded as end:
            self._ended(state, end)

    def receive(self) -> tuple[Frame, float, bool, bool, dict[str, Any]]:
        """The second half of a step: what the game came to."""
        session, state = self._live(running=False)
        if session.live is not None:
            try:
                session.receive()
                state.verdict = state.judge.on_frame(SessionView(session, state.start_ns))
            except GameEnded as end:
                self._ended(state, end)
        return self._look(), 0.0, state.verdict.terminated, False, self.info()

    def _ended(self, state: GameState, end: GameEnded) -> None:
        assert end.status is not None
        state.verdict = state.judge.on_exit(end.status)
        self._frame_index += 1

    def save(self) -> GameState:
        """Remember this frame; `restore` goes back to it. Milliseconds where `metadata["saves"]`
        is `fork`; where it is `replay`, restoring plays everything again at full speed."""
        session, state = self._live()
        return GameState(
            session.save(),
            copy.deepcopy(state.judge),
            state.verdict,
            state.start_ns,
            state.start_frame,
        )

    def restore(self, state: GameState) -> Frame:
        """Go back to a saved frame of this environment, and return it."""
        session, _ = self._live(running=False)
        session.restore(state.saved)
        self._begin_at(state)
        return self._look()

    def forget(self, state: GameState) -> None:
        """Let a saved frame go, and what it holds."""
        session, _ = self._live(running=False)
        session.forget(state.saved)

    def _begin_at(self, state: GameState) -> None:
        self._state = GameState(
            state.saved,
            copy.deepcopy(state.judge),
            state.verdict,
            state.start_ns,
            state.start_frame,
        )
        self._picture = None

    def render(self) -> Frame | None:
        """The frame at window size, (H, W, 3), if render_mode is `rgb_array`.

        After the game has ended itself: the last one that was rendered.
        """
        if self.render_mode is None:
            return None
        session, _ = self._live(running=False)
        if session.live is not None:
            self._picture = session.picture()
        if self._picture is None:
            raise GameError("the game has ended and no frame was rendered before; reset first")
        return self._picture

    def close(self) -> None:
        """End the game and everything it started."""
        self._end_session()
        self._is_closed = True

    def _end_session(self) -> None:
        if self._session is not None:
            self._session.close()
        self._session = self._start = self._state = None

    def _live(self, *, running: bool = True) -> tuple[Session, GameState]:
        if self._is_closed:
            raise GameError("this environment is closed; make a new one")
        if self._session is None or self._state is None:
            raise GameError("call reset before anything else")
        if running and self._session.live is None:
            raise GameError("the episode is over: the game has ended; call reset")
        return self._session, self._state

    def _look(self) -> Frame:
        """The observation; the last one if the game has ended itself."""
        session, state = self._live(running=False)
        if session.live is not None:
            last = session.live.last
            self._observation = session.observation()
            self._frame_index = last.frame - state.start_frame
            self._time_s = (last.time_ns - state.start_ns) / 1e9
        assert self._observation is not None
        return self._observation

    def view(self) -> View:
        """The present frame as judges see it, with the game's memory and files."""
        session, state = self._live()
        return SessionView(session, state.start_ns)

    def info(self) -> dict[str, Any]:
        """What `step` and `reset` report of the present frame."""
        _, state = self._live(running=False)
        verdict = state.verdict
        return {
            "frame_index": self._frame_index,
            "virtual_time_s": self._time_s,
            "success": verdict.success,
            "progress": verdict.progress,
            "events": list(verdict.events),
            "values": dict(verdict.values),
        }
