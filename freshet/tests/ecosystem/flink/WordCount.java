import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

public class WordCount {
    public static void main(String[] arguments) throws Exception {
        var env = StreamExecutionEnvironment.getExecutionEnvironment(settings(arguments));
        env.enableCheckpointing(1000);
        var source = KafkaSource.<String>builder()
            .setBootstrapServers(arguments[0]).setTopics("flink-words").setGroupId("flink")
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setValueOnlyDeserializer(new SimpleStringSchema()).build();
        var sink = KafkaSink.<String>builder()
            .setBootstrapServers(arguments[0])
            .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
            .setRecordSerializer(KafkaRecordSerializationSchema.builder().setTopic("flink-counts")
                .setValueSerializationSchema(new SimpleStringSchema()).build()).build();
        env.fromSource(source, WatermarkStrategy.noWatermarks(), "words")
            .map(word -> Tuple2.of(word, 1)).returns(Types.TUPLE(Types.STRING, Types.INT))
            .keyBy(word -> word.f0).sum(1)
            .map(count -> count.f0 + ":" + count.f1).sinkTo(sink);
        env.execute("word count");
    }

    /** Where checkpoints are kept, and the one to start from, if any. */
    static Configuration settings(String[] arguments) {
        var settings = new Configuration();
        settings.setString("execution.checkpointing.dir", arguments[1]);
        settings.setString("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
        settings.setString("parallelism.default", "2");
        if (arguments.length > 2) settings.setString("execution.state-recovery.path", arguments[2]);
        return settings;
    }
}
