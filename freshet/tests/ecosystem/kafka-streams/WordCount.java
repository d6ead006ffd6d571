import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TimeWindows;

public class WordCount {
    public static void main(String[] arguments) {
        var settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("application.id", "word-count");
        settings.put("state.dir", arguments[1]);
        settings.put("commit.interval.ms", 1000);
        settings.put("session.timeout.ms", 6000);
        settings.put("default.key.serde", Serdes.StringSerde.class);
        settings.put("default.value.serde", Serdes.StringSerde.class);

        var builder = new StreamsBuilder();
        var words = builder.<String, String>stream("streams-lines")
            .flatMapValues(line -> List.of(line.split(" ")))
            .groupBy((key, word) -> word);
        words.count(Materialized.as("counts"))
            .toStream().mapValues(String::valueOf).to("streams-counts");
        words.windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMinutes(5))).count().toStream()
            .map((in, count) -> KeyValue.pair(in.key() + "@" + in.window().start(), "" + count))
            .to("streams-windows");

        var streams = new KafkaStreams(builder.build(), settings);
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }
}
