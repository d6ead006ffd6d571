"""kafka-python against the broker: produce, consume, commit, resume, rebalance. Exits 0 when all is as Kafka does it.

kafka_python.py HOST:PORT LOGIN_HOST:PORT: at the second address ada logs in. What it prints as `name: value` is compared with what an Apache Kafka gives, so whatever differs from run to run is left out.
"""
import sys, time
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.structs import OffsetAndMetadata

servers, login = sys.argv[1:]
TOPIC, GROUP, COUNT = "from-kafka-python", "group-kafka-python", 400

def observe(name, action):
    """Prints what an action gives, or the name of the error that it ends in."""
    try:
        value = action()
    except Exception as error:
        value = type(error).__name__
    print(f"{name}: {value}")


admin = KafkaAdminClient(bootstrap_servers=servers)
admin.create_topics([NewTopic(TOPIC, num_partitions=4, replication_factor=1)])

# Every compression that this client can do with what Python ships, and headers, keys, nulls and
# empty values.
producer = KafkaProducer(bootstrap_servers=servers, compression_type="gzip", linger_ms=5)
sent = [producer.send(TOPIC, key=b"k%d" % (n % 40), value=b"v%d" % n, headers=[("n", b"%d" % n)]) for n in range(COUNT)]
places = {(s.get(timeout=10).partition, s.get().offset) for s in sent}
assert len(places) == COUNT, "every record has a place of its own"
assert {p for p, _ in places} == {0, 1, 2, 3}, "keys spread over the partitions"
# Where none were written yet, the first record's place is offset 0, and they follow without a gap.
for partition in range(4):
    offsets = sorted(o for p, o in places if p == partition)
    assert offsets == list(range(len(offsets))), offsets


def consumer(**more):
    return KafkaConsumer(
        TOPIC, bootstrap_servers=servers, group_id=GROUP, auto_offset_reset="earliest", enable_auto_commit=False,
        session_timeout_ms=15000, heartbeat_interval_ms=500, consumer_timeout_ms=4000, **more,
    )


# Half is read and committed, then a new member resumes exactly there.
first, seen = consumer(), []
for record in first:
    assert record.headers == [("n", record.value[1:])], record.headers
    seen.append((record.partition, record.offset, record.value))
    if len(seen) == COUNT // 2:
        break
highest = {}
for partition, offset, _ in seen:
    highest[partition] = max(highest.get(partition, -1), offset)
first.commit({TopicPartition(TOPIC, p): OffsetAndMetadata(o + 1, "half", -1) for p, o in highest.items()})
first.close()
second = consumer()
rest = [(record.partition, record.offset, record.value) for record in second]
assert len(seen) + len(rest) == COUNT, (len(seen), len(rest))
assert sorted(value for *_, value in seen + rest) == sorted(b"v%d" % n for n in range(COUNT)), "all, and each once"
for partition in range(4):
    of = [offset for p, offset, _ in seen + rest if p == partition]
    assert of == sorted(of), "in order within a partition"
second.commit()
second.close()

# Two members share the partitions; when one leaves, the other gets them all.
a, b = consumer(), consumer()


def wait(what, members, condition, seconds=60):
    """Polls the members in turn, as each would in a process of its own, until the condition holds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + seconds, f"{what}: not within {seconds} s: {a.assignment()} {b.assignment()}"
        for member in members:
            member.poll(timeout_ms=50)
    return time.monotonic() - began


wait("sharing", [a, b], lambda: len(a.assignment()) == 2 and len(b.assignment()) == 2)
assert not a.assignment() & b.assignment(), "no partition has two owners"
b.close()
took = wait("handing over", [a], lambda: len(a.assignment()) == 4)
a.close()
assert took < 6, f"handing over took {took:.2f} s: b was waited for as if it had not left"

# Offsets by time, and from both ends.
reader = KafkaConsumer(bootstrap_servers=servers)
all_partitions = [TopicPartition(TOPIC, p) for p in range(4)]
assert sum(reader.end_offsets(all_partitions).values()) == COUNT
assert sum(reader.beginning_offsets(all_partitions).values()) == 0
at = reader.offsets_for_times({tp: 0 for tp in all_partitions})
assert all(found.offset == 0 for found in at.values()), at
late = reader.offsets_for_times({tp: int(time.time() * 1000) + 3_600_000 for tp in all_partitions})
assert all(found is None for found in late.values()), late
reader.close()

# What an administrator sees, and what is refused.
observe("create again", lambda: admin.create_topics([NewTopic(TOPIC, num_partitions=4, replication_factor=1)]))
observe("create an illegal name", lambda: admin.create_topics([NewTopic("a/b", num_partitions=1, replication_factor=1)]))
observe("create with 3 replicas", lambda: admin.create_topics([NewTopic("wrong", num_partitions=1, replication_factor=3)]))
observe("create with an unknown setting", lambda: admin.create_topics([NewTopic("wrong", 1, 1, topic_configs={"no.such": "1"})]))
offsets = admin.list_group_offsets(GROUP) if hasattr(admin, "list_group_offsets") else admin.list_consumer_group_offsets(GROUP)
observe("committed", lambda: sorted((str(where), str(what)[:60]) for where, what in dict(offsets).items()) != [])


def send(topic=TOPIC, **record):
    """With a producer of its own: after some errors an idempotent one refuses to go on."""
    producer = KafkaProducer(bootstrap_servers=servers, max_request_size=3_000_000)
    try:
        return producer.send(topic, partition=0, **record).get(timeout=10).serialized_value_size
    finally:
        producer.close()


observe("send too much", lambda: send(value=b"x" * 2_000_000))
observe("send null", lambda: send(key=b"tombstone", value=None))
observe("send with a timestamp two hours ahead", lambda: send(value=b"early", timestamp_ms=int(time.time() * 1000) + 7_200_000))

# What tools ask.
COMPACTED = TOPIC + "-compacted"
observe("create a compacted topic", lambda: admin.create_topics([NewTopic(COMPACTED, 1, 1, topic_configs={"cleanup.policy": "compact"})]) is not None)
observe("its setting", lambda: admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, COMPACTED)]))
observe("send without a key to it", lambda: send(topic=COMPACTED, value=b"no key"))
observe("the cluster", lambda: (lambda it: (it["controller_id"], len(it["brokers"]), sorted(it["authorized_operations"])))(admin.describe_cluster()))
observe("features", lambda: sorted(admin.describe_features()))
observe("what has settings", lambda: {kind: names for kind, names in admin.list_config_resources().items() if kind != "topic"})
observe("log directories", lambda: [
    (topic["name"], sorted(p["partition_index"] for p in topic["partitions"] if p["offset_lag"] == 0 and not p["is_future_key"]), topic["partitions"][0]["partition_size"] > 0)
    for directory in admin.describe_log_dirs()[0]["log_dirs"] for topic in directory["topics"] if topic["name"] == TOPIC])
observe("the quorum", lambda: [
    (topic["topic_name"], p["leader_id"], [voter["replica_id"] for voter in p["current_voters"]], p["observers"], p["error"])
    for topic in admin.describe_metadata_quorum()["topics"] for p in topic["partitions"]])
observe("elect the preferred leaders", lambda: admin.elect_leaders(0, {TOPIC: [0, 1]}))
observe("reassignments", admin.list_partition_reassignments)
observe("transactions that are going on", lambda: admin.list_transactions(state_filters=["Ongoing"]))
observe("transactions that hang", admin.find_hanging_transactions)
observe("users with SCRAM", lambda: {
    name: sorted((info["mechanism"].name, info["iterations"]) for info in user["credential_infos"])
    for name, user in admin.describe_user_scram_credentials().items()})


def log_in(password, mechanism="PLAIN"):
    """Sends a record, by the listener where one logs in."""
    producer = KafkaProducer(bootstrap_servers=login, security_protocol="SASL_PLAINTEXT", sasl_mechanism=mechanism,
                             sasl_plain_username="ada", sasl_plain_password=password, max_block_ms=10_000)
    try:
        return producer.send(TOPIC, value=b"logged in").get(timeout=10).serialized_value_size
    finally:
        producer.close(timeout=1)


observe("log in", lambda: log_in("secret"))
for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"]:
    observe(f"log in by {mechanism}", lambda: log_in("secret", mechanism))
observe("log in with a wrong password", lambda: log_in("wrong"))
observe("delete", lambda: admin.delete_topics([TOPIC]) is not None)
observe("delete again", lambda: admin.delete_topics([TOPIC]))
admin.close()
print("kafka-python: all well")
