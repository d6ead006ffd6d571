import sys
from pyspark.sql import SparkSession
from pyspark.sql.functions import col

bootstrap, checkpoint = sys.argv[1:]
spark = SparkSession.builder.appName("count").config("spark.sql.shuffle.partitions", 2).getOrCreate()
words = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", bootstrap)
    .option("subscribe", "spark-words").option("startingOffsets", "earliest").load())
counts = words.groupBy("key").count().select("key", col("count").cast("string").alias("value"))
query = (counts.writeStream.format("kafka").option("kafka.bootstrap.servers", bootstrap)
    .option("topic", "spark-counts").option("checkpointLocation", checkpoint)
    .outputMode("update").start())
query.awaitTermination()
