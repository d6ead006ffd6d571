"""Sends a record and reads it, by both Python clients: reach.py HOST:PORT [key=value ...]

The keys are librdkafka's. What can't be reached is said within seconds, in each client's own words."""

import sys
import uuid

from confluent_kafka import Consumer, Producer
from kafka import KafkaConsumer, KafkaProducer

servers = sys.argv[1]
settings = dict(argument.split("=", 1) for argument in sys.argv[2:])
topic = "reach-" + uuid.uuid4().hex
SECONDS = 20


def confluent():
    failures = []
    common = {"bootstrap.servers": servers, "error_cb": failures.append, **settings}
    producer = Producer({**common, "message.timeout.ms": 5000})
    producer.produce(topic, b"by confluent", on_delivery=lambda error, _: error and failures.append(error))
    producer.flush(SECONDS)
    if failures:
        raise SystemExit(f"confluent: {failures}")
    consumer = Consumer({**common, "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    message = consumer.poll(SECONDS)
    assert message is not None and message.error() is None and message.value() == b"by confluent", message
    consumer.close()


def kafka_python():
    names = {
        "security.protocol": "security_protocol",
        "ssl.ca.location": "ssl_cafile",
        "sasl.mechanism": "sasl_mechanism",
        "sasl.username": "sasl_plain_username",
        "sasl.password": "sasl_plain_password",
    }
    common = {"bootstrap_servers": servers, **{names[key]: value for key, value in settings.items()}}
    producer = KafkaProducer(**common)
    producer.send(topic, b"by kafka-python").get(timeout=SECONDS)
    producer.close()
    consumer = KafkaConsumer(topic, auto_offset_reset="earliest", consumer_timeout_ms=SECONDS * 1000, **common)
    values = {next(consumer).value, next(consumer).value}
    assert values == {b"by confluent", b"by kafka-python"}, values
    consumer.close()


confluent()
kafka_python()
print("all well")
