import sys
from datetime import timedelta
from quixstreams import Application

app = Application(broker_address=sys.argv[1], consumer_group="quix", auto_offset_reset="earliest",
                  commit_interval=1.0, state_dir=sys.argv[2])
words = app.dataframe(app.topic("quix-words", value_deserializer="str"))

def count(word, state):
    total = state.get("count", 0) + 1
    state.set("count", total)
    return total

words.apply(count, stateful=True).to_topic(app.topic("quix-counts"))
words.tumbling_window(timedelta(minutes=5)).count().current().to_topic(app.topic("quix-windows"))
app.run()
