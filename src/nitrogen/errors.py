"""Every error that nitrogen raises on purpose.

    NitrogenError
    ├── ActionsError        buttons or sticks of a wrong shape, range or type
    ├── ConfigError         a configuration file with an unknown, missing or ill-typed key
    ├── DataError           a chunk, label file or data set that cannot be read or used
    ├── VideoError          a video that cannot be opened, decoded or written
    ├── SkinError           a skin folder that does not follow `padskin/1`
    ├── ExtractionError     no overlay, or one that cannot be read
    ├── CheckpointError     weights that are missing, damaged or do not fit
    ├── TrainingError       training that cannot start or go on
    │   └── TrainingStoppedError    a signal asked the run to stop; it has been saved
    ├── GameError           a game that cannot be started or driven
    │   ├── AgentMissingError   the agent library has not been built
    │   ├── GameMissingError    the game's program is not installed
    │   ├── GameExitedError     the game ended when it should not have
    │   └── GameTimeoutError    the game did not present a frame in time
    ├── ServeError          a policy server that cannot be reached or does not fit
    └── MissingDependencyError  an optional package that this feature needs

Each message names the thing, the place and what to do next.
"""


class NitrogenError(Exception):
    """The root of the tree: catch this to catch everything nitrogen raises on purpose."""


class ActionsError(NitrogenError):
    """Buttons or sticks of a wrong shape, range or type."""


class ConfigError(NitrogenError):
    """A configuration with an unknown, missing or ill-typed key."""


class DataError(NitrogenError):
    """A chunk, label file or data set that cannot be read or used."""


class VideoError(NitrogenError):
    """A video that cannot be opened, decoded or written."""


class SkinError(NitrogenError):
    """A skin folder that does not follow `padskin/1`."""


class ExtractionError(NitrogenError):
    """No overlay, or one that cannot be read."""


class CheckpointError(NitrogenError):
    """Weights that are missing, damaged or do not fit."""


class TrainingError(NitrogenError):
    """Training that cannot start or go on."""


class TrainingStoppedError(TrainingError):
    """A signal asked the run to stop; it has been saved and can be resumed."""

    def __init__(self, message: str, signal: int) -> None:
        """`signal`: the number of the signal."""
        super().__init__(message)
        self.signal = signal


class GameError(NitrogenError):
    """A game that cannot be started or driven."""


class AgentMissingError(GameError):
    """The agent library has not been built."""


class GameMissingError(GameError):
    """The game's program is not installed."""


class GameExitedError(GameError):
    """The game ended when it should not have."""


class GameTimeoutError(GameError):
    """The game did not present a frame within the real-time limit."""


class ServeError(NitrogenError):
    """A policy server that cannot be reached or does not fit."""


class MissingDependencyError(NitrogenError):
    """An optional package is not installed; the message has the command that installs it."""
