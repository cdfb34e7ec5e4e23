"""Build hook: compile the agent (C) into the package when a wheel or editable install is made."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AgentBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs `make -C agent` and puts the library into `nitrogen/simulator/lib`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, or say by name why the agent is left out."""
        if os.environ.get("NITROGEN_NO_AGENT") == "1":
            self.app.display_warning("NITROGEN_NO_AGENT=1: built without the agent")
            return
        missing = [tool for tool in ("make", "cc") if shutil.which(tool) is None]
        if missing:
            raise RuntimeError(
                f"building the agent needs {' and '.join(missing)} (Debian: apt-get install"
                " build-essential); set NITROGEN_NO_AGENT=1 to build without it, for a machine"
                " that only trains"
            )
        root = Path(self.root)
        subprocess.run(["make", "-s", "-C", str(root / "agent")], check=True)
        library = root / "src/nitrogen/simulator/lib/libnitrogen_agent.so"
        build_data["force_include"][str(library)] = "nitrogen/simulator/lib/libnitrogen_agent.so"
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
