import os
import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSinkMessage, KafkaSource, KafkaSink
from bytewax.dataflow import Dataflow

brokers = [os.environ["BOOTSTRAP"]]
flow = Dataflow("shout")
words = op.input("words", flow, KafkaSource(brokers, ["bytewax-words"], tail=False))
shouts = op.map("shout", words, lambda word: KafkaSinkMessage(word.key, word.value.upper()))
op.output("shouts", shouts, KafkaSink(brokers, "bytewax-shouts"))
