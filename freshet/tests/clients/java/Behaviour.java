import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.ExecutionException;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.serialization.*;

/**
 * Kafka's own Java client against the broker at the address given, whose listener with logins is at
 * the other address: what it observes, a line each. The lines are compared with those that an Apache
 * Kafka gives, so whatever differs from run to run is left out of them.
 */
public class Behaviour {
    static final String TOPIC = "from-java";
    static final Duration PATIENCE = Duration.ofSeconds(30);
    static String servers, login;

    interface Action { Object run() throws Exception; }

    /** Prints what an action gives, or the name of the error that it ends in. */
    static void observe(String name, Action action) {
        String value;
        try {
            value = String.valueOf(action.run());
        } catch (Exception error) {
            Throwable cause = error instanceof ExecutionException || error instanceof KafkaException && error.getCause() != null ? error.getCause() : error;
            value = cause.getClass().getSimpleName();
        }
        System.out.println(name + ": " + value);
    }

    static Map<String, Object> settings(Object... more) {
        Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", servers));
        for (int i = 0; i < more.length; i += 2) settings.put((String) more[i], more[i + 1]);
        return settings;
    }

    static KafkaProducer<String, String> producer(Object... more) {
        return new KafkaProducer<>(settings(more), new StringSerializer(), new StringSerializer());
    }

    static KafkaConsumer<String, String> consumer(Object... more) {
        Map<String, Object> settings = settings("auto.offset.reset", "earliest", "enable.auto.commit", false, "session.timeout.ms", 6000, "heartbeat.interval.ms", 500, "max.poll.interval.ms", 30000);
        settings.putAll(settings(more));
        return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    static List<ConsumerRecord<String, String>> read(KafkaConsumer<String, String> consumer, int count) {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (records.size() < count && System.nanoTime() < until) consumer.poll(Duration.ofMillis(200)).forEach(records::add);
        return records;
    }

    static TopicPartition partition(int number) { return new TopicPartition(TOPIC, number); }

    public static void main(String[] arguments) throws Exception {
        servers = arguments[0];
        login = arguments[1];
        try (Admin admin = Admin.create(settings())) {
            topics(admin);
            records();
            offsets(admin);
            groups(admin);
            rebalances(admin);
            configs(admin);
            tools(admin);
            logins();
            ends(admin);
        }
    }

    static void topics(Admin admin) {
        observe("create", () -> {
            CreateTopicsResult made = admin.createTopics(List.of(new NewTopic(TOPIC, 3, (short) 1).configs(Map.of("retention.ms", "86400000"))));
            made.all().get();
            return made.numPartitions(TOPIC).get() + " partitions, " + made.replicationFactor(TOPIC).get() + " replica, retention.ms " + made.config(TOPIC).get().get("retention.ms").value();
        });
        observe("create again", () -> admin.createTopics(List.of(new NewTopic(TOPIC, 3, (short) 1))).all().get());
        observe("create an illegal name", () -> admin.createTopics(List.of(new NewTopic("a/b", 1, (short) 1))).all().get());
        observe("create with 0 partitions", () -> admin.createTopics(List.of(new NewTopic("wrong", 0, (short) 1))).all().get());
        observe("create with 3 replicas", () -> admin.createTopics(List.of(new NewTopic("wrong", 1, (short) 3))).all().get());
        observe("create with an unknown setting", () -> admin.createTopics(List.of(new NewTopic("wrong", 1, (short) 1).configs(Map.of("no.such", "1")))).all().get());
        observe("create, only checking", () -> admin.createTopics(List.of(new NewTopic("checked", 1, (short) 1)), new CreateTopicsOptions().validateOnly(true)).all().get());
        observe("topics", () -> new TreeSet<>(admin.listTopics().names().get()).stream().filter(name -> name.startsWith(TOPIC) || name.equals("wrong") || name.equals("checked")).toList());
        observe("describe", () -> {
            TopicDescription described = admin.describeTopics(List.of(TOPIC)).allTopicNames().get().get(TOPIC);
            return described.partitions().stream().map(p -> p.partition() + " led by " + p.leader().id() + ", replicas " + p.replicas().size() + ", in sync " + p.isr().size()).toList() + (described.isInternal() ? " internal" : "");
        });
        observe("describe by id", () -> {
            Uuid id = admin.describeTopics(List.of(TOPIC)).allTopicNames().get().get(TOPIC).topicId();
            return admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds().get().get(id).name();
        });
        observe("describe an unknown one", () -> admin.describeTopics(List.of("nowhere")).allTopicNames().get());
        observe("cluster", () -> admin.describeCluster().nodes().get().size() + " node, controller " + admin.describeCluster().controller().get().id());
    }

    static void records() throws Exception {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            observe("send with " + codec, () -> {
                try (var producer = producer("compression.type", codec, "linger.ms", 5)) {
                    for (int n = 0; n < 100; n++) {
                        producer.send(new ProducerRecord<>(TOPIC, n % 3, "k" + n % 7, codec + n, List.of(new RecordHeader("n", ("" + n).getBytes(StandardCharsets.UTF_8)))));
                    }
                    producer.flush();
                    List<Long> last = new ArrayList<>();
                    for (int p = 0; p < 3; p++) last.add(producer.send(new ProducerRecord<>(TOPIC, p, "last", codec)).get().offset());
                    return "last offsets " + last;
                }
            });
        }
        observe("send null, empty, no key", () -> {
            try (var producer = producer()) {
                return List.of(producer.send(new ProducerRecord<>(TOPIC, 0, "tombstone", null)).get().offset(), producer.send(new ProducerRecord<>(TOPIC, 0, null, "")).get().offset());
            }
        });
        observe("send with acks=0", () -> {
            try (var producer = producer("acks", "0", "enable.idempotence", false)) {
                return producer.send(new ProducerRecord<>(TOPIC, 0, "k", "unanswered")).get().offset();
            }
        });
        observe("send too much", () -> {
            try (var producer = producer("max.request.size", 3_000_000)) {
                return producer.send(new ProducerRecord<>(TOPIC, 0, "k", "x".repeat(2_000_000))).get().offset();
            }
        });
        observe("send with an old timestamp", () -> {
            try (var producer = producer()) {
                return producer.send(new ProducerRecord<>(TOPIC, 1, 1_000_000L, "k", "old")).get().offset();
            }
        });
        observe("send with a timestamp two hours ahead", () -> {
            try (var producer = producer()) {
                return producer.send(new ProducerRecord<>(TOPIC, 1, System.currentTimeMillis() + 7_200_000, "k", "early")).get().offset();
            }
        });
        observe("send to a partition that is not there", () -> {
            try (var producer = producer("max.block.ms", 1500)) {
                return producer.send(new ProducerRecord<>(TOPIC, 9, "k", "v")).get().offset();
            }
        });
        observe("send to an illegal topic", () -> {
            try (var producer = producer("max.block.ms", 5000)) {
                return producer.send(new ProducerRecord<>("a b", "v")).get().offset();
            }
        });
        observe("send in a transaction", () -> {
            try (var producer = producer("transactional.id", "t", "max.block.ms", 10000)) {
                producer.initTransactions();
                return "begun";
            }
        });
        try (var consumer = consumer()) {
            consumer.assign(List.of(partition(0), partition(1), partition(2)));
            List<ConsumerRecord<String, String>> all = read(consumer, 5 * 103 + 4);
            observe("read", () -> all.size() + " records");
            observe("in order", () -> IntStream.range(0, 3).allMatch(p -> {
                List<Long> offsets = all.stream().filter(r -> r.partition() == p).map(ConsumerRecord::offset).toList();
                return offsets.equals(LongStream.range(0, offsets.size()).boxed().toList());
            }));
            observe("headers", () -> all.stream().filter(r -> r.headers().lastHeader("n") != null).allMatch(r -> r.value().endsWith(new String(r.headers().lastHeader("n").value(), StandardCharsets.UTF_8))));
            observe("null and empty", () -> all.stream().filter(r -> r.value() == null || r.value().isEmpty()).map(r -> r.key() + "=" + r.value()).toList());
            observe("timestamp type", () -> all.get(0).timestampType());
            observe("leader epoch", () -> all.get(0).leaderEpoch().get());
        }
        observe("read committed", () -> {
            try (var consumer = consumer("isolation.level", "read_committed")) {
                consumer.assign(List.of(partition(2)));
                return read(consumer, 170).size();
            }
        });
    }

    static void offsets(Admin admin) {
        Map<String, OffsetSpec> specs = new TreeMap<>(Map.of("earliest", OffsetSpec.earliest(), "latest", OffsetSpec.latest(), "at 0", OffsetSpec.forTimestamp(0), "in the future", OffsetSpec.forTimestamp(Long.MAX_VALUE / 2), "earliest local", OffsetSpec.earliestLocal(), "latest tiered", OffsetSpec.latestTiered()));
        specs.forEach((name, spec) -> observe("offsets " + name, () -> {
            List<Long> offsets = new ArrayList<>();
            for (int p = 0; p < 3; p++) offsets.add(admin.listOffsets(Map.of(partition(p), spec)).partitionResult(partition(p)).get().offset());
            return offsets;
        }));
        observe("offsets of a partition that is not there", () -> admin.listOffsets(Map.of(partition(9), OffsetSpec.latest()), new ListOffsetsOptions().timeoutMs(2000)).all().get());
        observe("delete records", () -> admin.deleteRecords(Map.of(partition(0), RecordsToDelete.beforeOffset(5))).lowWatermarks().get(partition(0)).get().lowWatermark());
        observe("delete records past the end", () -> admin.deleteRecords(Map.of(partition(0), RecordsToDelete.beforeOffset(5_000))).all().get());
        observe("read what was deleted", () -> {
            try (var consumer = consumer("auto.offset.reset", "none")) {
                consumer.assign(List.of(partition(0)));
                consumer.seek(partition(0), 0);
                return read(consumer, 1).size();
            }
        });
        observe("read what was deleted, or the first", () -> {
            try (var consumer = consumer()) {
                consumer.assign(List.of(partition(0)));
                consumer.seek(partition(0), 0);
                return read(consumer, 1).get(0).offset();
            }
        });
    }

    static void groups(Admin admin) throws Exception {
        String group = "java-group";
        observe("committed before", () -> admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get());
        try (var member = consumer("group.id", group, "client.id", "first")) {
            member.subscribe(List.of(TOPIC));
            observe("group reads", () -> read(member, 100).size() >= 100);
            observe("assigned", () -> member.assignment().size());
            member.commitSync(Map.of(partition(0), new OffsetAndMetadata(10, "so far"), partition(1), new OffsetAndMetadata(7)));
            observe("committed", () -> new TreeMap<>(member.committed(Set.of(partition(0), partition(1), partition(2))).entrySet().stream().collect(Collectors.toMap(e -> e.getKey().partition(), e -> e.getValue() == null ? "nothing" : e.getValue().offset() + "/" + e.getValue().metadata()))));
            observe("describe the group", () -> {
                ConsumerGroupDescription described = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
                MemberDescription one = described.members().iterator().next();
                return described.groupState() + " " + described.type() + " " + described.partitionAssignor() + ", " + described.members().size() + " member " + one.clientId() + " at " + one.host() + " with " + one.assignment().topicPartitions().size() + " partitions, coordinator " + described.coordinator().id();
            });
            observe("describe it as a classic group", () -> {
                ClassicGroupDescription described = admin.describeClassicGroups(List.of(group)).all().get().get(group);
                return described.state() + " " + described.protocol() + " " + described.protocolData();
            });
            observe("delete the group while it has a member", () -> admin.deleteConsumerGroups(List.of(group)).all().get());
            observe("delete offsets of a topic that it reads", () -> admin.deleteConsumerGroupOffsets(group, Set.of(partition(0))).all().get());
            observe("alter its offsets", () -> admin.alterConsumerGroupOffsets(group, Map.of(partition(0), new OffsetAndMetadata(1))).all().get());
        }
        observe("describe it when it is empty", () -> admin.describeConsumerGroups(List.of(group)).all().get().get(group).groupState());
        observe("groups", () -> admin.listGroups().all().get().stream().filter(g -> g.groupId().equals(group)).map(g -> g.groupId() + " " + g.protocol() + " " + g.groupState().get()).toList());
        observe("groups that are empty", () -> admin.listGroups(new ListGroupsOptions().inGroupStates(Set.of(GroupState.EMPTY))).all().get().stream().anyMatch(g -> g.groupId().equals(group)));
        observe("classic groups", () -> admin.listGroups(new ListGroupsOptions().withTypes(Set.of(GroupType.CLASSIC))).all().get().stream().anyMatch(g -> g.groupId().equals(group)));
        observe("alter offsets of the empty group", () -> admin.alterConsumerGroupOffsets(group, Map.of(partition(1), new OffsetAndMetadata(3))).all().get());
        observe("resumes at", () -> {
            try (var member = consumer("group.id", group)) {
                member.subscribe(List.of(TOPIC));
                List<ConsumerRecord<String, String>> records = read(member, 500);
                return IntStream.range(0, 3).mapToObj(p -> records.stream().filter(r -> r.partition() == p).map(ConsumerRecord::offset).findFirst().get()).toList();
            }
        });
        observe("delete offsets", () -> admin.deleteConsumerGroupOffsets(group, Set.of(partition(0))).all().get());
        observe("committed after that", () -> admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().keySet().stream().map(TopicPartition::partition).sorted().toList());
        observe("delete the group", () -> admin.deleteConsumerGroups(List.of(group)).all().get());
        observe("delete it again", () -> admin.deleteConsumerGroups(List.of(group)).all().get());
        observe("describe it when it is gone", () -> admin.describeConsumerGroups(List.of(group)).all().get());
        observe("commit without a group", () -> {
            try (var consumer = consumer("group.id", "assigned-by-hand")) {
                consumer.assign(List.of(partition(0)));
                consumer.commitSync(Map.of(partition(0), new OffsetAndMetadata(42)));
                return consumer.committed(Set.of(partition(0))).get(partition(0)).offset();
            }
        });
        observe("session timeout out of bounds", () -> {
            try (var member = consumer("group.id", "hasty", "session.timeout.ms", 100, "heartbeat.interval.ms", 50)) {
                member.subscribe(List.of(TOPIC));
                return read(member, 1).size();
            }
        });
        observe("the new group protocol", () -> {
            Map<String, Object> settings = settings("group.id", "java-new-protocol", "group.protocol", "consumer", "auto.offset.reset", "earliest");
            try (var member = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
                member.subscribe(List.of(TOPIC));
                return read(member, 1).size() >= 1;
            }
        });
    }

    /** Two members share, one leaves: with each assignor, and with static members. */
    static void rebalances(Admin admin) throws Exception {
        Map<String, String> assignors = new LinkedHashMap<>();
        for (String name : List.of("RangeAssignor", "RoundRobinAssignor", "StickyAssignor", "CooperativeStickyAssignor")) assignors.put(name, "org.apache.kafka.clients.consumer." + name);
        for (var assignor : assignors.entrySet()) {
            String group = "java-" + assignor.getKey();
            try (var one = consumer("group.id", group, "partition.assignment.strategy", assignor.getValue()); var other = consumer("group.id", group, "partition.assignment.strategy", assignor.getValue())) {
                one.subscribe(List.of(TOPIC));
                observe(assignor.getKey() + " alone", () -> poll(List.of(one), () -> one.assignment().size() == 3));
                other.subscribe(List.of(TOPIC));
                observe(assignor.getKey() + " shared", () -> poll(List.of(one, other), () -> !one.assignment().isEmpty() && !other.assignment().isEmpty() && one.assignment().size() + other.assignment().size() == 3));
                other.close();
                observe(assignor.getKey() + " handed over", () -> poll(List.of(one), () -> one.assignment().size() == 3));
            }
        }
        try (var one = consumer("group.id", "java-static", "group.instance.id", "a")) {
            one.subscribe(List.of(TOPIC));
            observe("static member", () -> poll(List.of(one), () -> one.assignment().size() == 3));
            one.commitSync(Map.of(partition(0), new OffsetAndMetadata(6)));
        }
        observe("static member after it closed", () -> {
            ConsumerGroupDescription described = admin.describeConsumerGroups(List.of("java-static")).all().get().get("java-static");
            return described.groupState() + ", instances " + described.members().stream().map(m -> m.groupInstanceId().orElse("none")).toList();
        });
        observe("remove the static member", () -> admin.removeMembersFromConsumerGroup("java-static", new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("a")))).all().get());
        observe("group after that", () -> admin.describeConsumerGroups(List.of("java-static")).all().get().get("java-static").groupState());
    }

    static boolean poll(List<KafkaConsumer<String, String>> members, java.util.function.BooleanSupplier condition) {
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > until) return false;
            members.forEach(member -> member.poll(Duration.ofMillis(50)));
        }
        return true;
    }

    static void configs(Admin admin) {
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, TOPIC);
        java.util.function.Function<String, Action> setting = name -> () -> {
            ConfigEntry entry = admin.describeConfigs(List.of(topic)).all().get().get(topic).get(name);
            return entry.value() + " " + entry.source() + " " + entry.type() + (entry.isReadOnly() ? " read-only" : "");
        };
        for (String name : List.of("retention.ms", "retention.bytes", "segment.bytes", "cleanup.policy", "max.message.bytes", "flush.ms", "flush.messages", "compression.type", "message.timestamp.type")) observe("setting " + name, setting.apply(name));
        java.util.function.BiFunction<String, String, Action> alter = (name, value) -> () -> admin.incrementalAlterConfigs(Map.of(topic, List.of(new AlterConfigOp(new ConfigEntry(name, value), value == null ? AlterConfigOp.OpType.DELETE : AlterConfigOp.OpType.SET)))).all().get();
        observe("set segment.bytes", alter.apply("segment.bytes", "2097152"));
        observe("setting segment.bytes now", setting.apply("segment.bytes"));
        observe("unset it", alter.apply("segment.bytes", null));
        observe("setting segment.bytes after that", setting.apply("segment.bytes"));
        observe("set retention.ms to nonsense", alter.apply("retention.ms", "soon"));
        observe("set what is no setting", alter.apply("no.such", "1"));
        observe("append to a list", () -> admin.incrementalAlterConfigs(Map.of(topic, List.of(new AlterConfigOp(new ConfigEntry("cleanup.policy", "delete"), AlterConfigOp.OpType.APPEND)))).all().get());
        observe("settings of an unknown topic", () -> admin.describeConfigs(List.of(new ConfigResource(ConfigResource.Type.TOPIC, "nowhere"))).all().get());
        observe("the broker's settings", () -> {
            ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
            Config config = admin.describeConfigs(List.of(broker)).all().get().get(broker);
            return Stream.of("num.partitions", "auto.create.topics.enable", "log.segment.bytes", "message.max.bytes").map(name -> name + "=" + config.get(name).value()).toList();
        });
        observe("grow", () -> admin.createPartitions(Map.of(TOPIC, NewPartitions.increaseTo(5))).all().get());
        observe("shrink", () -> admin.createPartitions(Map.of(TOPIC, NewPartitions.increaseTo(2))).all().get());
        observe("grow to the same", () -> admin.createPartitions(Map.of(TOPIC, NewPartitions.increaseTo(5))).all().get());
        observe("partitions now", () -> admin.describeTopics(List.of(TOPIC)).allTopicNames().get().get(TOPIC).partitions().size());
    }

    /** What tools ask. */
    static void tools(Admin admin) {
        String compacted = TOPIC + "-compacted";
        observe("create a compacted topic", () -> admin.createTopics(List.of(new NewTopic(compacted, 1, (short) 1).configs(Map.of("cleanup.policy", "compact")))).all().get());
        observe("send without a key to it", () -> {
            try (var producer = producer()) {
                return producer.send(new ProducerRecord<>(compacted, "no key")).get().offset();
            }
        });
        observe("a policy that is none", () -> admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, compacted), List.of(new AlterConfigOp(new ConfigEntry("cleanup.policy", "squeeze"), AlterConfigOp.OpType.SET)))).all().get());
        observe("delete it", () -> admin.deleteTopics(List.of(compacted)).all().get());
        Set<Integer> broker = Set.of(1);
        observe("log directories", () -> admin.describeLogDirs(broker).allDescriptions().get().get(1).values().stream().flatMap(directory -> directory.replicaInfos().entrySet().stream())
            .filter(replica -> replica.getKey().topic().equals(TOPIC)).map(replica -> replica.getKey() + " " + (replica.getValue().size() > 0) + " " + replica.getValue().offsetLag() + " " + replica.getValue().isFuture()).sorted().toList());
        observe("the directory's volume", () -> admin.describeLogDirs(broker).allDescriptions().get().get(1).values().stream().map(directory -> directory.totalBytes().isPresent() + " " + directory.usableBytes().isPresent() + " " + directory.error()).toList());
        observe("the quorum", () -> {
            QuorumInfo quorum = admin.describeMetadataQuorum().quorumInfo().get();
            return "led by " + quorum.leaderId() + ", voters " + quorum.voters().stream().map(QuorumInfo.ReplicaState::replicaId).toList() + ", observers " + quorum.observers() + ", nodes " + quorum.nodes().keySet() + ", written " + (quorum.highWatermark() > 0);
        });
        observe("elect the preferred leader", () -> admin.electLeaders(ElectionType.PREFERRED, Set.of(partition(0))).all().get());
        observe("elect all leaders", () -> admin.electLeaders(ElectionType.PREFERRED, null).partitions().get());
        observe("elect a leader of what is not there", () -> admin.electLeaders(ElectionType.UNCLEAN, Set.of(partition(9))).all().get());
        observe("reassignments", () -> admin.listPartitionReassignments().reassignments().get());
        observe("transactions that are going on", () -> admin.listTransactions(new ListTransactionsOptions().filterStates(Set.of(TransactionState.ONGOING))).all().get());
        observe("describe a transaction that is not there", () -> admin.describeTransactions(List.of("gone")).all().get());
        observe("producers", () -> admin.describeProducers(List.of(partition(1))).partitionResult(partition(1)).get().activeProducers().stream().map(p -> p.producerEpoch() + " " + p.currentTransactionStartOffset()).distinct().toList());
        observe("what has settings", () -> admin.listConfigResources().all().get().stream().filter(resource -> resource.type() != ConfigResource.Type.TOPIC).map(resource -> resource.type() + " " + resource.name()).sorted().toList());
        for (var resource : List.of(new ConfigResource(ConfigResource.Type.GROUP, "java-group"), new ConfigResource(ConfigResource.Type.CLIENT_METRICS, "java-metrics"))) {
            observe("settings of a " + resource.type(), () -> admin.describeConfigs(List.of(resource)).all().get().get(resource).entries().stream().map(entry -> entry.name() + "=" + entry.value() + " " + entry.source()).sorted().toList());
        }
        observe("features", () -> new TreeMap<>(admin.describeFeatures().featureMetadata().get().finalizedFeatures()).keySet());
        observe("quotas", () -> admin.describeClientQuotas(ClientQuotaFilter.all()).entities().get());
        observe("users with SCRAM", () -> admin.describeUserScramCredentials().all().get().values().stream()
            .flatMap(user -> user.credentialInfos().stream()
                .map(info -> user.name() + " " + info.mechanism() + " " + info.iterations()))
            .sorted().toList());
        observe("access control", () -> admin.describeAcls(AclBindingFilter.ANY).values().get());
        observe("delegation tokens", () -> admin.describeDelegationToken().delegationTokens().get());
        observe("what may be done", () -> admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true)).authorizedOperations().get().stream().sorted().toList());
    }

    static void logins() {
        for (String mechanism : List.of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")) for (String password : List.of("secret", "wrong")) {
            observe("log in by " + mechanism + " with a " + password + " password", () -> {
                String module = (mechanism.equals("PLAIN") ? "plain.Plain" : "scram.Scram") + "LoginModule required username=\"ada\" password=\"" + password + "\";";
                Object[] settings = {"bootstrap.servers", login, "security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", mechanism, "sasl.jaas.config", "org.apache.kafka.common.security." + module};
                try (var producer = producer(settings); var consumer = consumer(settings)) {
                    long offset = producer.send(new ProducerRecord<>(TOPIC, 2, "ada", "logged in")).get().offset();
                    consumer.assign(List.of(partition(2)));
                    consumer.seek(partition(2), offset);
                    return read(consumer, 1).get(0).value() + " at " + offset;
                }
            });
        }
    }

    static void ends(Admin admin) {
        observe("delete", () -> admin.deleteTopics(List.of(TOPIC)).all().get());
        observe("delete again", () -> admin.deleteTopics(List.of(TOPIC)).all().get());
        observe("read a topic that is not there", () -> {
            try (var consumer = consumer("allow.auto.create.topics", false)) {
                return consumer.partitionsFor("nowhere", Duration.ofSeconds(5));
            }
        });
        observe("made by being written to", () -> {
            try (var producer = producer()) {
                producer.send(new ProducerRecord<>("from-java-made", "v")).get();
                return admin.describeTopics(List.of("from-java-made")).allTopicNames().get().get("from-java-made").partitions().size();
            }
        });
    }
}
