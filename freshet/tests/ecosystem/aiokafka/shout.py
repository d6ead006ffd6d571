import asyncio, sys
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

async def shout(bootstrap):
    consumer = AIOKafkaConsumer("aiokafka-words", bootstrap_servers=bootstrap, group_id="aiokafka",
                                auto_offset_reset="earliest", enable_auto_commit=False)
    async with consumer, AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        async for word in consumer:
            await producer.send_and_wait("aiokafka-shouts", word.value.upper(), key=word.key)
            await consumer.commit()    # after the answer is there: nothing is lost

asyncio.run(shout(sys.argv[1]))
