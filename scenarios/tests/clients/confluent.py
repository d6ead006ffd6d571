"""confluent-kafka (librdkafka) against the broker: produce, consume, commit, resume, rebalance. Exits 0 when all is well."""
import sys, time
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

servers = sys.argv[1]
GROUP, COUNT = "group-confluent", 1000
admin = AdminClient({"bootstrap.servers": servers})

for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
    topic = f"from-confluent-{codec}"
    admin.create_topics([NewTopic(topic, num_partitions=4, replication_factor=1)])[topic].result(10)
    places, failed = set(), []

    def delivered(error, message):
        failed.append(error) if error else places.add((message.partition(), message.offset()))

    producer = Producer({"bootstrap.servers": servers, "compression.codec": codec, "enable.idempotence": True, "linger.ms": 5})
    for n in range(COUNT):
        producer.produce(topic, key=b"k%d" % (n % 40), value=b"v%d" % n, headers={"n": str(n)}, on_delivery=delivered)
        producer.poll(0)
    assert producer.flush(10) == 0 and not failed, failed
    assert len(places) == COUNT


def consumer(**more):
    return Consumer({
        "bootstrap.servers": servers, "group.id": GROUP, "auto.offset.reset": "earliest", "enable.auto.commit": False,
        "session.timeout.ms": 6000, "heartbeat.interval.ms": 500, "enable.partition.eof": True, **more,
    })


def read(member, most):
    """Up to `most` records, or until every partition has ended."""
    got, ended, until = [], set(), time.monotonic() + 15
    while len(got) < most and len(ended) < 4:
        assert time.monotonic() < until, f"{len(got)} of {most} records within 15 s"
        message = member.poll(0.2)
        if message is None:
            continue
        if message.error():
            assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
            ended.add(message.partition())
        else:
            got.append((message.partition(), message.offset(), message.value()))
            assert message.headers() == [("n", message.value()[1:])]
    return got


for assignor in ["range", "roundrobin", "cooperative-sticky"]:
    group = {"group.id": f"{GROUP}-{assignor}", "partition.assignment.strategy": assignor}
    topic = "from-confluent-zstd"
    began = time.monotonic()
    first = consumer(**group)
    first.subscribe([topic])
    half = read(first, 1)
    joined = time.monotonic() - began
    half += read(first, COUNT // 2 - 1)
    first.commit(asynchronous=False, offsets=[
        TopicPartition(topic, p, max(o for q, o, _ in half if q == p) + 1) for p in {p for p, *_ in half}
    ])
    first.close()
    second = consumer(**group)
    second.subscribe([topic])
    rest = read(second, COUNT)
    assert sorted(value for *_, value in half + rest) == sorted(b"v%d" % n for n in range(COUNT)), (assignor, len(half), len(rest))
    second.commit(asynchronous=False)

    # A second member gets its share, and gives it back when it leaves.
    third = consumer(**group)
    third.subscribe([topic])
    until = time.monotonic() + 15
    while not (len(second.assignment()) == 2 and len(third.assignment()) == 2):
        assert time.monotonic() < until, f"{assignor}: not shared within 15 s"
        second.poll(0.05), third.poll(0.05)
    began = time.monotonic()
    third.close()
    while len(second.assignment()) != 4:
        assert time.monotonic() - began < 3, f"{assignor}: not handed over within 3 s"
        second.poll(0.05)
    print(f"{assignor}: first record {joined:.2f} s after start, handed over in {time.monotonic() - began:.2f} s")
    second.close()

# From both ends, by time, and committed offsets of a stranger's group.
reader = consumer()
low, high = reader.get_watermark_offsets(TopicPartition("from-confluent-none", 0), timeout=5)
assert low == 0 and high > 0
found = reader.offsets_for_times([TopicPartition("from-confluent-none", 0, 0)], timeout=5)
assert found[0].offset == 0, found
reader.close()
print("confluent-kafka: all well")
