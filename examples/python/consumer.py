"""A consumer: adds up what each card spends. Stop it, start it again: it resumes at its committed
offset.

    pip install kafka-python
    python consumer.py [HOST:PORT]    # two of them share the partitions; watch them on the dashboard
"""
import collections, json, os, sys
from kafka import KafkaConsumer

consumer = KafkaConsumer(
    "my_swipes",
    bootstrap_servers=sys.argv[1] if len(sys.argv) > 1 else "localhost:9092",
    client_id=f"me-{os.getpid()}",    # who this is, on the dashboard and in `freshet groups`
    group_id="my-first-app",          # members of one group share the work
    session_timeout_ms=6_000,         # silent for so long: dead, and its partitions go to others
    auto_offset_reset="earliest",     # no committed offset yet: begin with the oldest record
    consumer_timeout_ms=int(sys.argv[2]) if len(sys.argv) > 2 else float("inf"),
)
spent = collections.Counter()
try:
    for record in consumer:
        swipe = json.loads(record.value)  # records are bytes: we know how these were written
        spent[swipe["card_id"]] += swipe["amount_cents"]
        print(f"{record.partition}@{record.offset}  {swipe['card_id']} has spent {spent[swipe['card_id']] / 100:.2f}", flush=True)
except KeyboardInterrupt:             # Ctrl-C: the usual end of a consumer
    pass
finally:
    consumer.close()                  # leaves the group at once, and commits its offsets
