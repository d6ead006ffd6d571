import os
import faust

app = faust.App("faust", broker=f"kafka://{os.environ['BOOTSTRAP']}", topic_partitions=4)
words = app.topic("faust-words", key_type=str, value_type=str, value_serializer="raw")
counts = app.Table("counts", default=int)
answers = app.topic("faust-counts", key_type=str, value_type=int)

@app.agent(words)
async def count(stream):
    async for word in stream:
        counts[word] += 1
        await answers.send(key=word, value=counts[word])
