"""nitrogen: from gameplay videos to a policy that plays, measured."""

from importlib.metadata import version

from nitrogen.actions import Actions
from nitrogen.policy import Policy

__version__ = version("nitrogen")
__all__ = ["Actions", "Policy", "__version__"]
