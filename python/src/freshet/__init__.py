"""A Kafka in 50 ms, for a test or a notebook.

    import freshet

    with freshet.Broker() as broker:
        producer = KafkaProducer(bootstrap_servers=broker.bootstrap_servers)

With pytest there is nothing to start: a test that takes the argument ``kafka`` has one, see
``freshet.pytest_plugin``. The command ``freshet`` comes with the package: try ``freshet demo``.
"""

from freshet._broker import Broker, BrokerError

__all__ = ["Broker", "BrokerError"]
