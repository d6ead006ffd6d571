"""A producer: says that cards were presented at terminals. No consumer needs to run.

    pip install kafka-python
    python producer.py [HOST:PORT]
"""
import json, os, random, sys, time
from datetime import datetime, timezone
from kafka import KafkaProducer

producer = KafkaProducer(
    bootstrap_servers=sys.argv[1] if len(sys.argv) > 1 else "localhost:9092",
    client_id=f"me-{os.getpid()}",    # how the broker and its log call this program
)
for number in range(100):
    card = f"python-{random.randrange(40)}"  # enough keys that every partition gets some
    swipe = {
        "ts": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "swipe_id": f"python-{time.time_ns()}", "card_id": card, "terminal_id": "python-shop",
        "amount_cents": random.randrange(100, 10_000),
    }
    # A record is a key and a value, both bytes. Same key, same partition, so the swipes of a card
    # stay in order.
    sent = producer.send("my_swipes", key=card.encode(), value=json.dumps(swipe).encode())
    place = sent.get(timeout=10)  # wait until the broker has it
    print(f"partition {place.partition} offset {place.offset}: {swipe['card_id']} {swipe['amount_cents'] / 100:.2f}")
    time.sleep(0.05)
