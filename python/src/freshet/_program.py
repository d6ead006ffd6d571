"""Where the program is that came with this package."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path


def program() -> str:
    """Return the path of the program ``freshet``."""
    # PREFIX/lib/python3.x/site-packages/freshet/_program.py, as of a virtual environment or
    # `pip install --user`; or TARGET/freshet/_program.py, as of `pip install --target`.
    above = Path(__file__).parents
    folders = [above[up] / "bin" for up in (4, 1) if up < len(above)]
    folders.append(Path(sysconfig.get_path("scripts")))
    for folder in folders:
        if found := shutil.which("freshet", path=str(folder)):
            return found
    # From a checkout there is no installer.
    if found := shutil.which("freshet"):
        return found
    looked_in = ", ".join(map(str, folders))
    raise FileNotFoundError(
        f"the program freshet is neither in {looked_in} nor on PATH: "
        "install this package again (pip install --force-reinstall)",
    )
