"""Be the fraudster: eight small swipes with a stolen card, then a large one. `freshet demo` answers.

    pip install kafka-python
    python steal_a_card.py [HOST:PORT] [CARD]    # then look for the card in pane 5: 5, /, its name
"""
import getpass, json, os, sys, time
from datetime import datetime, timedelta
from kafka import KafkaConsumer, KafkaProducer

card = sys.argv[2] if len(sys.argv) > 2 else getpass.getuser()
me = dict(bootstrap_servers=sys.argv[1] if len(sys.argv) > 1 else "localhost:9092", client_id=f"me-{os.getpid()}")
# Without a group: it reads all partitions, from their ends on, and commits nothing.
producer, consumer = KafkaProducer(**me), KafkaConsumer("card_swipes", "fraud_decisions", **me)

def next_record(topic, is_wanted, missing):
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        for record in (record for records in consumer.poll(timeout_ms=200).values() for record in records):
            if record.topic == topic and is_wanted(value := json.loads(record.value)):
                return value
    sys.exit(f"nothing on {topic} for 20 seconds: {missing}")

# The show has its own clock. The newest swipe says what time it is there.
now = datetime.fromisoformat(next_record("card_swipes", lambda _: True, "does `freshet demo` run?")["ts"].replace("Z", "+00:00"))
for at in consumer.assignment():
    consumer.position(at)             # the end of each partition as it is now: no answer is missed
for number, cents in enumerate([112, 105, 190, 118, 131, 99, 143, 120, 85_000]):
    swipe = {
        "ts": (now + timedelta(seconds=2 * number)).isoformat(timespec="milliseconds"),
        "swipe_id": f"{card}-{time.time_ns()}", "card_id": card, "terminal_id": f"{card}s-shop", "amount_cents": cents,
    }
    sent = time.monotonic()
    producer.send("card_swipes", key=card.encode(), value=json.dumps(swipe).encode())
    answer = next_record("fraud_decisions", lambda answer: answer["swipe_id"] == swipe["swipe_id"], "does the fraud consumer run?")
    took_ms = (time.monotonic() - sent) * 1000
    print(f"{cents / 100:7.2f}  {answer['decision']}d after {took_ms:.0f} ms: {', '.join(answer['reasons']) or 'nothing unusual'}", flush=True)
consumer.close()
