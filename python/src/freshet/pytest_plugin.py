"""A fixture ``kafka`` for tests: a real broker, and names that no other test has.

    def test_orders_are_counted(kafka):
        topic = kafka.topic()
        producer = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers)

One broker serves all tests of a session; under pytest-xdist each worker has its own. It starts
with the first test that asks for it. To choose its options, override ``kafka_broker`` in
``conftest.py``:

    @pytest.fixture(scope="session")
    def kafka_broker():
        with freshet.Broker(partitions=1) as broker:
            yield broker
"""

from __future__ import annotations

import itertools
import re
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from freshet._broker import Broker

if TYPE_CHECKING:
    from collections.abc import Iterator

# Kafka takes 249 characters.
_LONGEST = 200
_numbers = itertools.count(1)


class Kafka:
    """What a test has of the broker that all tests share."""

    def __init__(self, broker: Broker, test: str) -> None:
        self.broker = broker
        self._test = re.sub(r"[^A-Za-z0-9]+", "-", test)[:_LONGEST].strip("-")

    @property
    def bootstrap_servers(self) -> str:
        """Where clients reach the broker, such as ``127.0.0.1:40123``."""
        return self.broker.bootstrap_servers

    def topic(self) -> str:
        """Return a name for a topic, a new one each time; writing to it makes the topic."""
        return self._name("topic")

    def group(self) -> str:
        """Return a name for a consumer group, a new one each time."""
        return self._name("group")

    def _name(self, of: str) -> str:
        return f"{self._test}-{of}-{next(_numbers)}"


@pytest.fixture(scope="session")
def kafka_broker() -> Iterator[Broker]:
    """Start the broker of this session, or under pytest-xdist of this worker."""
    # The test in which it dies says so, and the last one need not say it again.
    with closing(Broker()) as broker:
        yield broker


@pytest.fixture
def kafka(kafka_broker: Broker, request: pytest.FixtureRequest) -> Iterator[Kafka]:
    """Give a test a broker, and names of its own."""
    yield Kafka(kafka_broker, request.node.name)
    kafka_broker.check()
