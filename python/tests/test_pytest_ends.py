"""A session of pytest that ends otherwise than it should leaves no process and no folder."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 30.0

# Each test says which processes it and its broker are.
SAY = """
import os, pytest, signal, time

@pytest.fixture(autouse=True)
def say(kafka):
    with open(os.environ["SAY"], "w") as say:
        say.write(f"{os.getpid()} {kafka.broker.pid}\\n")
"""

WAITS = """
import time

def test_it():
    while True:
        time.sleep(0.1)
"""


class Session:
    """A pytest over some files, and the brokers that its tests have told of."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester
        self.temporary = pytester.mkdir("temporary")
        self._said = pytester.path / "said"
        os.mkfifo(self._said)
        # Open for writing too, so that reading never meets an end.
        self._reading = os.open(self._said, os.O_RDWR)
        self._processes: list[int] = []
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str, **files: str) -> subprocess.Popen[bytes]:
        """Start it as a shell does: in a process group of its own, with the usual signals."""
        self._pytester.makepyfile(**files)
        # Where the package is not installed, no entry point names the plugin.
        plugin = {"PYTEST_PLUGINS": "freshet.pytest_plugin"}
        usual = "import os, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        command = [sys.executable, "-c", usual + "import pytest; sys.exit(pytest.main())"]
        session = subprocess.Popen(
            [*command, *arguments],
            env={**os.environ, **plugin, "SAY": str(self._said), "TMPDIR": str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._started.append(session)
        return session

    def hear(self) -> tuple[int, int]:
        """Return the processes of the next test that says so, and of its broker."""
        readable, _, _ = select.select([self._reading], [], [], SECONDS)
        assert readable, "no test has begun"
        line = b""
        while not line.endswith(b"\n"):
            line += os.read(self._reading, 1)
        test, broker = map(int, line.split())
        for process in (test, broker):
            with contextlib.suppress(ProcessLookupError):  # it may have ended already
                self._processes.append(os.pidfd_open(process))
        return test, broker

    def leaves_nothing(self) -> None:
        """Wait for the ends of all processes that were heard of, and look for folders."""
        for process in self._processes:
            ended, _, _ = select.select([process], [], [], SECONDS)
            assert ended, "a process is still there"
        assert list(self.temporary.glob("freshet-*")) == []

    def close(self) -> None:
        """End what a test that has failed leaves."""
        for session in self._started:
            session.kill()
            session.communicate()
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(process, signal.SIGKILL)
            os.close(process)
        os.close(self._reading)


@pytest.fixture
def session(pytester: pytest.Pytester) -> Iterator[Session]:
    session = Session(pytester)
    yield session
    session.close()


def said(process: subprocess.Popen[bytes]) -> str:
    """Wait for its end, and return what it has said."""
    return process.communicate(timeout=SECONDS)[0].decode()


@pytest.mark.parametrize("arguments", [["-pno:xdist"], ["-n2", "--dist=each"]], ids=["one", "two"])
def test_a_pytest_that_is_killed(session: Session, arguments: list[str]) -> None:
    process = session.start(*arguments, conftest=SAY, test_a=WAITS)
    session.hear()
    if "-n2" in arguments:
        session.hear()
    process.kill()
    session.leaves_nothing()
    said(process)


def test_a_worker_of_xdist_that_is_killed(session: Session) -> None:
    kills = """
import os, signal

def test_kills():
    os.kill(os.getpid(), signal.SIGKILL)

def test_after():
    pass
"""
    process = session.start("-n1", conftest=SAY, test_a=kills)
    (first, broker), (second, another) = session.hear(), session.hear()
    assert first != second
    assert broker != another
    assert "1 failed, 1 passed" in said(process)
    session.leaves_nothing()


def test_ctrl_c_in_a_test_and_again_while_its_broker_ends(session: Session) -> None:
    again = """
@pytest.fixture(scope="session")
def kafka_broker(kafka_broker):
    wait = kafka_broker._process.wait
    def interrupted(timeout):
        with open(os.environ["SAY"], "w") as say:
            say.write(f"{os.getpid()} {kafka_broker.pid}\\n")
        os.kill(os.getpid(), signal.SIGINT)
        return wait(timeout)
    kafka_broker._process.wait = interrupted
    return kafka_broker
"""
    process = session.start("-pno:xdist", conftest=SAY + again, test_a=WAITS)
    heard = session.hear()
    os.killpg(process.pid, signal.SIGINT)
    assert session.hear() == heard, "it is interrupted while it waits for its broker"
    assert "KeyboardInterrupt" in said(process)
    session.leaves_nothing()


# What goes wrong in a fixture that has the broker, and what pytest says of it.
FIXTURES = {
    "before": ("def own(say): raise RuntimeError", "1 error"),
    "after": ("def own(say):\n    yield\n    raise RuntimeError", "1 passed, 1 error"),
    "exit": ("def own(say): os._exit(3)", ""),
}


@pytest.mark.parametrize("name", FIXTURES)
def test_a_fixture_that_fails(session: Session, name: str) -> None:
    fixture, outcome = FIXTURES[name]
    fails = f"{SAY}\n@pytest.fixture(autouse=True)\n{fixture}\n"
    process = session.start("-pno:xdist", conftest=fails, test_a="def test_it(): pass")
    session.hear()
    assert outcome in said(process)
    session.leaves_nothing()


def test_a_broker_whose_fixture_fails(session: Session) -> None:
    fails = """
import freshet, os, pytest

@pytest.fixture(scope="session")
def kafka_broker():
    with freshet.Broker() as broker:
        with open(os.environ["SAY"], "w") as say:
            say.write(f"{os.getpid()} {broker.pid}\\n")
        raise RuntimeError
"""
    test = "def test_it(kafka): pass"
    process = session.start("-pno:xdist", conftest=fails, test_a=test)
    session.hear()
    assert "1 error" in said(process)
    session.leaves_nothing()
