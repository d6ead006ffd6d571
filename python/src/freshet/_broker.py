"""A broker for as long as an object lives.

The broker is a process, and ends when its standard input closes. Only this process holds the other
end: so whatever happens to it, the broker ends too, and removes its folder first.

* The other end is closed in every process that this one forks, and not handed to those that it
  starts (PEP 446). So a worker that outlives us keeps no broker alive.
* The broker is in a session of its own: Ctrl-C in the terminal interrupts Python, which still needs
  the broker while it ends in order.
* Its words go to a file without a name, which needs no thread that reads and leaves nothing behind.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import tempfile
import threading
import time
import weakref
from typing import IO, TYPE_CHECKING

from freshet._program import program

if TYPE_CHECKING:
    from typing_extensions import Self

# The broker itself gives up after two.
_SECONDS_TO_END = 10.0


class BrokerError(RuntimeError):
    """The broker did not start, or has ended; the message ends with all that it said."""


class Broker:
    """A broker that speaks the Kafka protocol, ready when this returns.

    It listens on this machine alone, and lives until ``close``, the end of a ``with`` block, or the
    end of this process, however that comes.

    :param partitions: partitions of a topic that is made by being written to (the broker makes 4).
    :param data_dir: where the log is kept; without it in a temporary folder, gone at the end.
    :param no_auto_create: refuse topics that were not created, instead of making them.
    :param port: where to listen; 0 takes any free port.
    :param timeout: how many seconds the start may take.
    """

    def __init__(
        self,
        *,
        partitions: int | None = None,
        data_dir: str | os.PathLike[str] | None = None,
        no_auto_create: bool = False,
        port: int = 0,
        timeout: float = 30.0,
    ) -> None:
        command = [program(), "broker", "--supervised", f"--listen=127.0.0.1:{port}"]
        command += ["--temporary"] if data_dir is None else [f"--data-dir={os.fspath(data_dir)}"]
        if partitions is not None:
            command += [f"--partitions={partitions}"]
        if no_auto_create:
            command += ["--no-auto-create"]
        log = tempfile.TemporaryFile()  # noqa: SIM115
        self._log = log
        self._said = ""
        self._is_ours = True
        try:
            # No other thread forks while this process has the pipe and the set has it not yet.
            with _forking:
                self._process: subprocess.Popen[bytes] = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    start_new_session=True,
                )
                self._end = weakref.finalize(self, _end, self._process, log)
                _started_here.add(self)
        except BaseException:
            log.close()
            raise
        try:
            self._bootstrap_servers = self._when_ready(timeout)
        except BaseException:
            self.close()
            raise

    @property
    def bootstrap_servers(self) -> str:
        """Where clients reach it, such as ``127.0.0.1:40123``."""
        self.check()
        return self._bootstrap_servers

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has said: usually a line about its folder, and whatever went wrong."""
        return _read(self._log) if self._end.alive else self._said

    def check(self) -> None:
        """Raise ``BrokerError`` unless the broker runs."""
        if not self._is_ours:
            return  # a process that was forked can't ask about its parent's child
        if not self._end.alive:
            raise BrokerError("the broker was closed")
        if (code := self._process.poll()) is not None:
            raise BrokerError(f"the broker has {_ended(code)}; it said:\n{self.log}")

    def close(self) -> None:
        """End the broker, and wait until it and its temporary folder are gone.

        In a process that was forked, and a second time, it does nothing.
        """
        said = self._end()
        if said is not None:
            self._said = said

    def __enter__(self) -> Self:
        """Nothing is left to do: it is ready."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it. Raises ``BrokerError`` if it had ended by itself before."""
        try:
            if self._end.alive:
                self.check()
        finally:
            self.close()

    def _when_ready(self, timeout: float) -> str:
        """Wait for the line by which the broker says where it listens."""
        stdout = self._process.stdout
        assert stdout is not None
        deadline = time.monotonic() + timeout
        line = b""
        with stdout, selectors.DefaultSelector() as readable:
            readable.register(stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not readable.select(max(0.0, deadline - time.monotonic())):
                    late = f"the broker is not ready after {timeout} s"
                    raise BrokerError(f"{late}; it said:\n{self.log}")
                more = os.read(stdout.fileno(), 4096)
                if not more:
                    code = self._process.wait()
                    raise BrokerError(f"the broker has {_ended(code)} as it started:\n{self.log}")
                line += more
        return line.decode().split()[-1]

    def _let_go(self) -> None:
        """In a process that was forked: the broker is the parent's."""
        self._is_ours = False
        self._end.detach()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._log.close()
        # It is no child of this process: not to be waited for, nor warned about.
        self._process.returncode = 0


_started_here: weakref.WeakSet[Broker] = weakref.WeakSet()
_forking = threading.RLock()


def _in_child() -> None:
    for broker in list(_started_here):
        broker._let_go()
    _started_here.clear()
    _forking.release()


os.register_at_fork(
    before=_forking.acquire,
    after_in_parent=_forking.release,
    after_in_child=_in_child,
)


def _end(process: subprocess.Popen[bytes], log: IO[bytes]) -> str:
    """End the process, and return what it said."""
    with log:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return _read(log)


def _read(log: IO[bytes]) -> str:
    # The broker writes where the file's own position is: it must not move.
    return os.pread(log.fileno(), os.fstat(log.fileno()).st_size, 0).decode(errors="replace")


def _ended(code: int) -> str:
    return f"ended with exit code {code}" if code >= 0 else f"been killed by signal {-code}"
