"""confluent-kafka (librdkafka) against the broker: produce, consume, commit, resume, rebalance. Exits 0 when all is well.

confluent.py HOST:PORT LOGIN_HOST:PORT: at the second address ada logs in. What it prints as `name: value` is compared with what an Apache Kafka gives, so whatever differs from run to run is left out.
"""
import sys, time
from confluent_kafka import (
    Consumer, ConsumerGroupTopicPartitions, ElectionType, KafkaError, KafkaException, Producer, TopicCollection, TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, OffsetSpec, ResourceType,
)

servers, login = sys.argv[1:]
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
    print(f"{assignor}: first record {joined:.2f} s after start, handed over in {time.monotonic() - began:.2f} s", file=sys.stderr)
    print(f"{assignor}: shared and handed over")
    second.close()

# From both ends, by time, and committed offsets of another program's group.
reader = consumer()
low, high = reader.get_watermark_offsets(TopicPartition("from-confluent-none", 0), timeout=5)
assert low == 0 and high > 0
found = reader.offsets_for_times([TopicPartition("from-confluent-none", 0, 0)], timeout=5)
assert found[0].offset == 0, found
reader.close()


def observe(name, action):
    """Prints what an action gives, or the name of the error that it ends in."""
    try:
        value = action()
    except KafkaException as error:
        value = error.args[0].name()
    print(f"{name}: {value}")


def only(futures):
    """The one result of a request about one thing."""
    [future] = futures.values()
    return future.result(10)


# What an administrator sees, and what is refused.
TOPIC = "from-confluent-none"
SETTINGS = ConfigResource(ResourceType.TOPIC, TOPIC)
new = lambda name, partitions=1, replicas=1, **config: only(admin.create_topics([NewTopic(name, partitions, replicas, config=config)]))
observe("create again", lambda: new(TOPIC))
observe("create an illegal name", lambda: new("a/b"))
observe("create with 3 replicas", lambda: new("wrong", replicas=3))
observe("create with an unknown setting", lambda: new("wrong", **{"no.such": "1"}))
observe("grow", lambda: only(admin.create_partitions([NewPartitions(TOPIC, 5)])))
observe("shrink", lambda: only(admin.create_partitions([NewPartitions(TOPIC, 2)])))
setting = lambda name: (lambda entry: (entry.value, entry.source, entry.is_default))(only(admin.describe_configs([SETTINGS]))[name])
alter = lambda name, value: only(admin.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, TOPIC, incremental_configs=[
    ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)])]))
observe("setting", lambda: setting("retention.ms"))
observe("alter it", lambda: alter("retention.ms", "7000000"))


def settled(value):
    """The setting, once it is the value: an Apache Kafka answers before its broker knows."""
    until = time.monotonic() + 10
    while setting("retention.ms")[0] != value and time.monotonic() < until:
        pass
    return setting("retention.ms")


observe("setting after that", lambda: settled("7000000"))
observe("alter it to nonsense", lambda: alter("retention.ms", "soon"))
ends = lambda spec: only(admin.list_offsets({TopicPartition(TOPIC, 0): spec})).offset
observe("earliest", lambda: ends(OffsetSpec.earliest()))
observe("latest is past the first", lambda: ends(OffsetSpec.latest()) > 0)
observe("delete records", lambda: only(admin.delete_records([TopicPartition(TOPIC, 0, 5)])).low_watermark)
observe("earliest after that", lambda: ends(OffsetSpec.earliest()))
group = f"{GROUP}-range"
observe("groups", lambda: sorted((g.group_id, g.state.name, g.type.name) for g in admin.list_consumer_groups().result(10).valid if g.group_id.startswith(GROUP)))
observe("describe a group", lambda: (lambda g: (g.state.name, g.type.name, len(g.members)))(only(admin.describe_consumer_groups([group]))))
observe("describe a group that is not there", lambda: only(admin.describe_consumer_groups(["nobody"])).state.name)
observe("committed", lambda: sum(p.offset for p in only(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])).topic_partitions))
observe("reset offsets", lambda: [p.offset for p in only(admin.alter_consumer_group_offsets([
    ConsumerGroupTopicPartitions(group, [TopicPartition("from-confluent-zstd", 0, 3)])])).topic_partitions])
observe("delete the group", lambda: only(admin.delete_consumer_groups([group])))
observe("delete it again", lambda: only(admin.delete_consumer_groups([group])))


def send(value=b"v", settings={}, **more):
    failed = []
    producer = Producer({"bootstrap.servers": servers, "message.timeout.ms": 8000, "message.max.bytes": 3_000_000, **settings})
    producer.produce(more.pop("topic", TOPIC), value, on_delivery=lambda error, _: error and failed.append(error.name()), **more)
    producer.flush(10)
    return failed


observe("send too much", lambda: send(b"x" * 2_000_000))
observe("send null", lambda: send(None, key=b"tombstone"))
observe("send with a timestamp two hours ahead", lambda: send(timestamp=int(time.time() * 1000) + 7_200_000))
observe("send with acks=0", lambda: send(settings={"acks": 0}))


def transaction():
    producer = Producer({"bootstrap.servers": servers, "transactional.id": "confluent"})
    producer.init_transactions(10)
    producer.begin_transaction()
    producer.produce("from-confluent-transaction", b"v")
    producer.commit_transaction(10)
    return "committed"


observe("send in a transaction", transaction)


def compacted():
    """What is left of each key: read until the cleaner has been there."""
    topic, until = "from-confluent-compacted", time.monotonic() + 90
    new(topic, **{"cleanup.policy": "compact", "segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01"})
    producer = Producer({"bootstrap.servers": servers})
    for value in [b"old", b"new"]:
        for n in range(3):
            producer.produce(topic, key=b"k%d" % n, value=value)
        producer.flush(10)
    reader, left = consumer(), {(b"", b"old")}
    while b"old" in {value for _, value in left} and time.monotonic() < until:
        # The cleaner leaves a segment alone until a record that comes later begins another.
        producer.produce(topic, key=b"later", value=b"v")
        producer.flush(10)
        reader.assign([TopicPartition(topic, 0, 0)])
        left = set()
        while (message := reader.poll(10)) is not None and not message.error():
            left.add((message.key(), message.value()))
    reader.close()
    return sorted(left)


observe("what compaction leaves", compacted)
observe("send without a key to a compacted topic", lambda: send(topic="from-confluent-compacted"))
BROKER, A_GROUP = ConfigResource(ResourceType.BROKER, "1"), ConfigResource(ResourceType.GROUP, GROUP)
configs = lambda resource, *names: [(entry.value, entry.source, entry.is_read_only) for name in names for entry in [only(admin.describe_configs([resource]))[name]]]
observe("the broker's settings", lambda: configs(BROKER, "num.partitions", "log.retention.ms", "log.segment.bytes", "log.cleanup.policy", "auto.create.topics.enable"))
observe("a group's settings", lambda: configs(A_GROUP, "consumer.session.timeout.ms", "consumer.heartbeat.interval.ms"))
observe("elect the preferred leaders", lambda: [error.name() for error in admin.elect_leaders(ElectionType.PREFERRED, [TopicPartition(TOPIC, 0)]).result(10).values()])
observe("describe the cluster", lambda: (lambda it: (it.controller.id, len(it.nodes)))(admin.describe_cluster().result(10)))
observe("describe a topic", lambda: [(p.id, p.leader.id, len(p.replicas), len(p.isr)) for p in only(admin.describe_topics(TopicCollection([TOPIC]))).partitions])
observe("users with SCRAM", lambda: sorted(
    (name, info.mechanism.name, info.iterations)
    for name, user in admin.describe_user_scram_credentials().result(10).items()
    for info in user.scram_credential_infos))


def log_in(password, mechanism="PLAIN"):
    """Lists topics by the listener where one logs in: whether ours is there, or what the client says."""
    said = []
    logging_in = AdminClient({"bootstrap.servers": login, "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": mechanism, "sasl.username": "ada",
                              "sasl.password": password, "error_cb": lambda error: said.append(error.name())})
    try:
        return TOPIC in logging_in.list_topics(timeout=5).topics
    except KafkaException:
        while "_AUTHENTICATION" not in said and logging_in.poll(10):
            pass
        return said[0]


observe("log in", lambda: log_in("secret"))
observe("log in with a wrong password", lambda: log_in("wrong"))
for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"]:
    observe(f"log in by {mechanism}", lambda: log_in("secret", mechanism))
    observe(f"log in by {mechanism} with a wrong password", lambda: log_in("wrong", mechanism))
observe("delete", lambda: only(admin.delete_topics([TOPIC])))
observe("delete again", lambda: only(admin.delete_topics([TOPIC])))
print("confluent-kafka: all well")
