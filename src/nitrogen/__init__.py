"""nitrogen: from gameplay videos to a policy that plays, measured."""

from importlib.metadata import version

from nitrogen.actions import Actions
from nitrogen.policy import Policy
from nitrogen.simulator import registration as _registration  # noqa: F401 - Gymnasium ids

__version__ = version("nitrogen")
__all__ = ["Actions", "Policy", "__version__"]
