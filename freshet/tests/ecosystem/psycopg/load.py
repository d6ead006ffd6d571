import json, sys
import psycopg
from confluent_kafka import Consumer

bootstrap, database = sys.argv[1:]
connection = psycopg.connect(database)
connection.execute("CREATE TABLE IF NOT EXISTS orders (id text PRIMARY KEY, amount_cents bigint)")
connection.commit()
consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "loader",
                     "session.timeout.ms": 6000, "auto.offset.reset": "earliest",
                     "enable.auto.commit": False})
consumer.subscribe(["psycopg-orders"])
try:
    while True:
        records = [record for record in consumer.consume(100, timeout=1) if not record.error()]
        for record in records:
            order = json.loads(record.value())
            connection.execute("INSERT INTO orders VALUES (%s, %s) ON CONFLICT (id) DO NOTHING",
                               (record.key().decode(), order["amount_cents"]))
        connection.commit()    # the rows first, then the offsets: what is read twice is one row
        if records:
            consumer.commit(asynchronous=False)
except KeyboardInterrupt:
    consumer.close()
