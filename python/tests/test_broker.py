"""A broker lives as long as it should, and leaves nothing behind."""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest

import freshet

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 30.0


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give brokers a temporary directory, and look at the end that nothing is left in it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    yield tmp_path
    for parent in Parent.started:
        parent.process.kill()
        parent.process.communicate()
    Parent.started.clear()
    assert list(tmp_path.iterdir()) == []


def answers(address: str) -> bool:
    """Whether something listens there."""
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), SECONDS).close()
    except ConnectionRefusedError:
        return False
    return True


def open_files() -> set[str]:
    """Return what this process has open."""
    links = Path("/proc/self/fd").iterdir()
    return {os.readlink(link) for link in links if link.is_symlink()}


class Parent:
    """A Python that has started a broker, and does what the rest of its script says."""

    started: ClassVar[list[Parent]] = []

    def __init__(self, script: str, pass_fds: tuple[int, ...] = ()) -> None:
        # Who starts the tests in the background may have set some signals to be ignored.
        start = """
import freshet, os, signal, sys
for usual in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
    signal.signal(usual, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
brokers = [freshet.Broker()]
"""
        say = "print(*(f'{b.pid} {b.bootstrap_servers}' for b in brokers), flush=True)"
        self.process = subprocess.Popen(
            [sys.executable, "-c", start + script.replace("SAY", say)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            pass_fds=pass_fds,
        )
        Parent.started.append(self)
        said = self.process.stdout
        assert said is not None
        readable, _, _ = select.select([said], [], [], SECONDS)
        assert readable, "it says nothing"
        words = said.readline().decode().split()
        self.addresses = words[1::2]
        self.brokers = [os.pidfd_open(int(pid)) for pid in words[::2]]

    def brokers_end(self) -> None:
        """Wait for the ends of the brokers' processes."""
        for broker in self.brokers:
            ended, _, _ = select.select([broker], [], [], SECONDS)
            assert ended, "a broker is still there"
            os.close(broker)
        assert not any(map(answers, self.addresses))

    def ends(self) -> str:
        """Wait for the parent's end, and return what it said of errors."""
        return self.process.communicate(timeout=SECONDS)[1].decode()


def test_it_is_ready_and_gone_afterwards(temporary: Path) -> None:
    before = open_files()
    with freshet.Broker() as broker:
        assert answers(broker.bootstrap_servers)
        (folder,) = temporary.iterdir()
    assert not answers(broker._bootstrap_servers)
    assert not folder.exists()
    assert open_files() == before
    with pytest.raises(freshet.BrokerError, match="the broker was closed"):
        _ = broker.bootstrap_servers
    broker.close()
    assert str(folder) in broker.log, "what it said can be read afterwards"


def test_an_object_that_nobody_has_any_more_ends_its_broker(temporary: Path) -> None:
    broker = freshet.Broker()
    address = broker.bootstrap_servers
    del broker
    assert not answers(address)
    assert list(temporary.iterdir()) == []


def test_options_reach_the_broker(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("kept")
    with freshet.Broker(data_dir=folder, partitions=7, no_auto_create=True) as broker:
        command = Path(f"/proc/{broker.pid}/cmdline").read_bytes().decode().split("\0")
        port = int(broker.bootstrap_servers.rsplit(":", 1)[1])
    assert {f"--data-dir={folder}", "--partitions=7", "--no-auto-create"} < set(command)
    assert any(folder.iterdir()), "a folder of the user's stays"
    with freshet.Broker(port=port) as again:
        assert again.bootstrap_servers == f"127.0.0.1:{port}"


def test_a_broker_that_cannot_start_says_why() -> None:
    before = open_files()
    with freshet.Broker() as first:
        port = int(first.bootstrap_servers.rsplit(":", 1)[1])
        with pytest.raises(freshet.BrokerError, match=r"exit code 1(.|\n)*is in use by another"):
            freshet.Broker(port=port)
    with pytest.raises(freshet.BrokerError, match=r"exit code 2(.|\n)*--partitions"):
        freshet.Broker(partitions=0)
    assert open_files() == before


def test_a_program_that_says_nothing_is_not_waited_for(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path_factory.mktemp("bin") / "freshet"
    program.write_text("#!/bin/sh\necho it is thinking >&2\nexec cat\n")
    program.chmod(0o755)
    monkeypatch.setattr("freshet._broker.program", lambda: str(program))
    with pytest.raises(freshet.BrokerError, match=r"not ready after 0\.5 s; it said:\nit is think"):
        freshet.Broker(timeout=0.5)


def test_a_broker_that_dies_is_told_with_its_log() -> None:
    broker = freshet.Broker()
    os.kill(broker.pid, signal.SIGTERM)
    os.waitid(os.P_PID, broker.pid, os.WEXITED | os.WNOWAIT)
    told = r"ended with exit code 143; it said:\nits log is in"
    with pytest.raises(freshet.BrokerError, match=told):
        _ = broker.bootstrap_servers
    with pytest.raises(freshet.BrokerError, match=told), broker:
        pass


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGQUIT", "SIGHUP"])
def test_a_parent_that_is_killed_takes_its_broker_along(name: str) -> None:
    parent = Parent("SAY\nsys.stdin.read()")
    os.killpg(parent.process.pid, signal.Signals[name])
    parent.brokers_end()
    parent.ends()
    assert parent.process.returncode == -signal.Signals[name]


def test_a_parent_that_ends_in_whatever_way_takes_its_broker_along() -> None:
    for end in ["", "sys.exit(1)", "raise KeyboardInterrupt", "os._exit(1)", "os.abort()"]:
        parent = Parent("SAY\n" + end)
        parent.brokers_end()
        assert "Warning" not in parent.ends()


def test_ctrl_c_leaves_the_broker_to_what_python_does_at_its_end() -> None:
    parent = Parent(
        """
try:
    SAY; sys.stdin.read()
except KeyboardInterrupt:
    sys.exit("still there" if brokers[0].bootstrap_servers else "")
"""
    )
    os.killpg(parent.process.pid, signal.SIGINT)
    assert parent.ends() == "still there\n"
    parent.brokers_end()


def test_a_child_that_outlives_its_parent_keeps_no_broker() -> None:
    """The child of a fork has all that its parent had open, but for this."""
    read, write = os.pipe()
    fork = f"""
if os.fork() == 0:
    os.close({write})
    os.read({read}, 1)
    os._exit(0)
SAY
sys.stdin.read()
"""
    parent = Parent(fork, pass_fds=(read, write))
    os.close(read)
    parent.process.kill()
    parent.brokers_end()
    os.write(write, b"the child reads it: it is still there")
    os.close(write)
    parent.ends()


def test_a_child_that_was_forked_while_a_broker_started_keeps_none() -> None:
    read, write = os.pipe()
    forks = f"""
import threading
def fork():
    for _ in range(100):
        if os.fork() == 0:
            os.close({write})
            os.read({read}, 1)
            os._exit(0)
thread = threading.Thread(target=fork)
thread.start()
while thread.is_alive():
    brokers.append(freshet.Broker())
SAY
sys.stdin.read()
"""
    try:
        parent = Parent(forks, pass_fds=(read, write))
        assert len(parent.brokers) > 1
        parent.process.kill()
        parent.brokers_end()
    finally:
        os.close(read)
        os.close(write)


def _use(broker: freshet.Broker, results: multiprocessing.Queue[bool]) -> None:
    results.put(answers(broker.bootstrap_servers))
    broker.close()
    results.put(answers(broker.bootstrap_servers))


def test_a_forked_process_uses_its_parents_broker_and_does_not_end_it() -> None:
    fork = multiprocessing.get_context("fork")
    with freshet.Broker() as broker:
        results: multiprocessing.Queue[bool] = fork.Queue()
        child = fork.Process(target=_use, args=(broker, results))
        child.start()
        assert [results.get(timeout=SECONDS), results.get(timeout=SECONDS)] == [True, True]
        child.join()
        assert child.exitcode == 0
        assert answers(broker.bootstrap_servers)


def test_threads_start_and_end_brokers_at_once() -> None:
    before = open_files()

    def life(_: int) -> str:
        with freshet.Broker() as broker:
            assert answers(broker.bootstrap_servers)
            return broker.bootstrap_servers

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(life, range(8)))) == 8
    assert open_files() == before


def test_several_threads_may_close_one() -> None:
    broker = freshet.Broker()
    threads = [threading.Thread(target=broker.close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broker._process.returncode == 0
