from datetime import datetime
from airflow.providers.apache.kafka.operators.produce import ProduceToTopicOperator
from airflow.providers.apache.kafka.sensors.kafka import AwaitMessageSensor
from airflow.sdk import DAG

def orders():
    for n in range(20):
        yield f"order-{n}", f'{{"amount_cents": {n * 10}}}'

def is_ours(record):    # what it returns is the task's XCom; None waits on
    if record.key() == b"order-19":
        return record.value().decode()

with DAG("exchange", start_date=datetime(2026, 3, 3), schedule=None):
    produce = ProduceToTopicOperator(task_id="produce", topic="airflow-orders", producer_function=orders,
                                     kafka_config_id="kafka")
    wait = AwaitMessageSensor(task_id="wait", topics=["airflow-orders"], apply_function="exchange.is_ours",
                              kafka_config_id="kafka", poll_interval=0.1)
    produce >> wait
