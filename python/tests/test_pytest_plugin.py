"""The fixture ``kafka``, as somebody's tests use it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freshet.pytest_plugin import Kafka

# `make wheel` runs five hundred.
LIVES = int(os.environ.get("FRESHET_LIVES", "10"))


@pytest.mark.parametrize("life", range(LIVES))
def test_each_test_makes_fills_reads_and_deletes_a_topic(kafka: Kafka, life: int) -> None:
    servers: dict[str, str | int | float | bool] = {"bootstrap.servers": kafka.bootstrap_servers}
    topic, group = kafka.topic(), kafka.group()
    admin = AdminClient(servers)
    admin.create_topics([NewTopic(topic, 1)])[topic].result(10)
    producer = Producer({**servers, "linger.ms": 0})
    producer.produce(topic, key="life", value=str(life))
    assert producer.flush(10) == 0
    settings = {**servers, "group.id": group, "auto.offset.reset": "earliest"}
    consumer = Consumer({**settings, "enable.auto.commit": False})
    consumer.subscribe([topic])
    record = consumer.poll(10)
    assert record is not None
    assert record.error() is None
    assert record.value() == str(life).encode()
    consumer.commit(message=record, asynchronous=False)
    assert consumer.committed([TopicPartition(topic, 0)])[0].offset == 1
    consumer.close()
    admin.delete_consumer_groups([group])[group].result(10)
    admin.delete_topics([topic])[topic].result(10)


@pytest.mark.parametrize("name", ["x" * 300, "ü/ø: any [thing]"])
def test_names_are_legal_and_new_each_time(kafka: Kafka, name: str) -> None:
    names = [of() for of in (kafka.topic, kafka.group) for _ in range(2)]
    assert len(set(names)) == 4
    assert all(name.startswith("test-names-are-legal-and") for name in names), name
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    for made in admin.create_topics([NewTopic(name, 1) for name in names]).values():
        made.result(10)


Session = Callable[..., pytest.RunResult]


@pytest.fixture
def session(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """Run pytest over these files, and look that no broker leaves a folder."""
    temporary = pytester.mkdir("temporary")
    monkeypatch.setenv("TMPDIR", str(temporary))
    # Where the package is not installed, no entry point names the plugin.
    monkeypatch.setenv("PYTEST_PLUGINS", "freshet.pytest_plugin")

    def run(*arguments: str, **files: str) -> pytest.RunResult:
        pytester.makepyfile(**files)
        return pytester.runpytest_subprocess("-rP", *arguments)

    yield run
    assert list(temporary.glob("freshet-*")) == []


USES = """
def test_one(kafka):
    print("BROKER", kafka.broker.pid)

def test_another(kafka):
    print("BROKER", kafka.broker.pid)
"""


def brokers(result: pytest.RunResult) -> set[str]:
    """Return the processes of the brokers that tests have said."""
    return {line.split("BROKER")[1] for line in result.outlines if "BROKER" in line}


def test_one_broker_serves_all_tests_of_a_session(session: Session) -> None:
    result = session("-pno:xdist", test_a=USES, test_b=USES)
    result.assert_outcomes(passed=4)
    assert len(brokers(result)) == 1


def test_each_worker_of_xdist_has_a_broker(session: Session) -> None:
    result = session("-n2", "--dist=each", test_a=USES)
    result.assert_outcomes(passed=4)
    assert len(brokers(result)) == 2


def test_no_broker_is_started_for_tests_that_ask_for_none(session: Session) -> None:
    never = "import freshet._broker as b\ndef never(): raise RuntimeError\nb.program = never"
    session(conftest=never, test_a="def test_it(): pass").assert_outcomes(passed=1)


def test_the_test_in_which_the_broker_dies_is_the_one_that_fails(session: Session) -> None:
    kills = """
import os, signal

def test_before(kafka):
    pass

def test_kills(kafka):
    os.kill(kafka.broker.pid, signal.SIGTERM)
    os.waitid(os.P_PID, kafka.broker.pid, os.WEXITED | os.WNOWAIT)

def test_without():
    pass
"""
    result = session(test_a=kills)
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(
        ["*ERROR at teardown of test_kills*", "E*ended with exit code 143*", "E*its log is in*"]
    )


def test_a_session_chooses_the_options_of_its_broker(session: Session) -> None:
    chooses = """
import freshet, pytest

@pytest.fixture(scope="session")
def kafka_broker():
    with freshet.Broker(partitions=3) as broker:
        yield broker
"""
    asks = """
from confluent_kafka import Producer

def test_it(kafka):
    topic = kafka.topic()
    metadata = Producer({"bootstrap.servers": kafka.bootstrap_servers}).list_topics(topic, 10)
    assert len(metadata.topics[topic].partitions) == 3
"""
    session(conftest=chooses, test_a=asks).assert_outcomes(passed=1)
