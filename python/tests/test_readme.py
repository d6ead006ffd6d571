"""What the README shows runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

README = Path(__file__).parents[1] / "README.md"


def test_what_the_readme_shows_runs(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, test, conftest = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    pytester.makepyfile(test_a=test, conftest=conftest)
    assert pytester.runpython(pytester.makepyfile(script=script)).ret == 0
    # Where the package is not installed, no entry point names the plugin.
    monkeypatch.setenv("PYTEST_PLUGINS", "freshet.pytest_plugin")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
