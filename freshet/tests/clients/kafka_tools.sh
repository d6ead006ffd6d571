#!/usr/bin/env bash
# Kafka's own command-line tools against the broker at the address given, whose listener with logins
# is at the other address: what they say, a line each. The lines are compared with those that an
# Apache Kafka gives, so whatever differs from run to run is left out of them.
set -uo pipefail
servers=$1
login=$2
kafka=$(cd "$(dirname "$0")/../../.." && pwd)/tools/kafka/kafka
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Ids, addresses, times, the blanks of tables, where in the tool an error was thrown, how a broker
# words it (each has its own words for the same error code), and a setting that Apache Kafka sets
# for all topics by itself when it is new.
without_chance() {
  sed -E -e "s/$servers/HOST:PORT/g" -e 's/(localhost|127\.0\.0\.1):[0-9]+/HOST:PORT/g' -e 's/TopicId: [A-Za-z0-9_-]{22}/TopicId: ID/' \
    -e 's/\[?20[0-9]{2}-[0-9]{2}-[0-9]{2}[ T][0-9:,]+\]? ?//g' -e 's/CreateTime:[0-9]+/CreateTime:T/g' -e 's/[[:blank:]]+/ /g' -e 's/^ | $//g' \
    -e 's/min.insync.replicas=1,?//' -e 's/(kafka\.common\.[A-Za-z.]+Exception): .*/\1/' -e 's/^(Error while executing [a-z]+ command) .*/\1/' -e '/^at [a-z]/d' -e '/^$/d' -e '/KIP-848/d' -e '/deprecated/d'
}

# step NAME [-m FILTER] TOOL ARGS: the tool's lines as one. With a filter (a shell command) only
# what it lets through.
step() {
  local name=$1 filter=cat status
  shift
  if [ "$1" = -m ]; then filter=$2; shift 2; fi
  timeout 100 "$kafka" "$@" > "$scratch/said" 2>&1
  status=$?
  printf '%s: %s' "$name" "$(without_chance < "$scratch/said" | bash -c "$filter" | paste -sd '~' | sed 's#~# / #g')"
  [ "$status" = 0 ] && echo || echo " (exit status $status)"
}

at=(--bootstrap-server "$servers")

# Each tool is a Java program of its own. With the classes of this one at hand, and no compiler that
# takes its time, the others start in a third of the time. Java says nothing of its own.
KAFKA_OPTS="-Xlog:disable -XX:ArchiveClassesAtExit=$scratch/classes" "$kafka" topics "${at[@]}" --list > /dev/null 2>&1
export KAFKA_OPTS="-Xlog:disable -XX:SharedArchiveFile=$scratch/classes -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

step "create a topic with a setting" topics "${at[@]}" --create --topic tools --partitions 2 --replication-factor 1 --config retention.ms=86400000
step "create it again" topics "${at[@]}" --create --topic tools --partitions 2
step "create it again, if it is not there" topics "${at[@]}" --create --topic tools --partitions 2 --if-not-exists
step "a setting that is none" topics "${at[@]}" --create --topic wrong --config no.such.setting=1
step "more replicas than brokers" topics "${at[@]}" --create --topic wrong --partitions 1 --replication-factor 3
step "describe" topics "${at[@]}" --describe --topic tools
step "describe what is not there" topics "${at[@]}" --describe --topic nowhere
step "more partitions" topics "${at[@]}" --alter --topic tools --partitions 3
step "fewer partitions" topics "${at[@]}" --alter --topic tools --partitions 1

printf 'a:1\nb:2\nc:3\nd:4\ne:5\nf:6\n' > "$scratch/lines"
step "produce from the console" console-producer "${at[@]}" --topic tools --reader-property parse.key=true --reader-property key.separator=: < "$scratch/lines"
for codec in gzip snappy lz4 zstd; do
  step "produce with $codec" console-producer "${at[@]}" --topic "tools-$codec" --compression-codec $codec < "$scratch/lines"
  step "consume $codec" console-consumer "${at[@]}" --topic "tools-$codec" --from-beginning --max-messages 6 --timeout-ms 30000
done
step "consume in a group" -m sort console-consumer "${at[@]}" --topic tools --group readers --from-beginning --max-messages 6 --timeout-ms 30000 \
  --formatter-property print.key=true --formatter-property print.partition=true --formatter-property print.offset=true --formatter-property print.timestamp=true
step "consume from an offset" console-consumer "${at[@]}" --topic tools --partition 2 --offset 1 --max-messages 2 --timeout-ms 30000
step "consume until there is no more" -m "grep -v Exception" console-consumer "${at[@]}" --topic tools --partition 2 --offset latest --timeout-ms 2000
step "end offsets" get-offsets "${at[@]}" --topic tools
step "offsets at a time in the future" get-offsets "${at[@]}" --topic tools --time 99999999999999
step "offsets of the highest timestamp" -m 'cut -d: -f1,2' get-offsets "${at[@]}" --topic tools --time max-timestamp

step "list groups" -m "grep -E '^(GROUP|readers)'" consumer-groups "${at[@]}" --list
step "list groups with their state" -m "grep -E '^(GROUP|readers)'" consumer-groups "${at[@]}" --list --state
step "list groups with their type" -m "grep -E '^(GROUP|readers)'" consumer-groups "${at[@]}" --list --type
step "describe a group" consumer-groups "${at[@]}" --describe --group readers
step "describe a group's state" consumer-groups "${at[@]}" --describe --group readers --state
step "describe a group's members" consumer-groups "${at[@]}" --describe --group readers --members --verbose
step "describe a group that is not there" consumer-groups "${at[@]}" --describe --group nobody
committed='s/.*"readers","topic":"tools","partition":0..,"value":(\{[^}]*\}\}).*/\1/p'
step "read a committed offset" -m "sed 's/}{/}\n{/g' | sed -nE '$committed' | sed -E 's/(commitTimestamp|topicId)\":[^,}]*/\1\":X/g' | tail -1" \
  console-consumer "${at[@]}" --topic __consumer_offsets --from-beginning --timeout-ms 5000 --formatter org.apache.kafka.tools.consumer.OffsetsMessageFormatter
step "reset offsets, only asking" -m sort consumer-groups "${at[@]}" --reset-offsets --group readers --topic tools --to-earliest --dry-run
step "reset offsets" -m sort consumer-groups "${at[@]}" --reset-offsets --group readers --topic tools --to-earliest --execute
step "reset offsets by one" consumer-groups "${at[@]}" --reset-offsets --group readers --topic tools:0 --shift-by 1 --execute
step "reset offsets to a time" -m sort consumer-groups "${at[@]}" --reset-offsets --group readers --topic tools --to-datetime 2100-01-01T00:00:00.000 --execute
step "reset offsets of a group that is not there" -m sort consumer-groups "${at[@]}" --reset-offsets --group new --topic tools --to-latest --execute
step "describe it after that" consumer-groups "${at[@]}" --describe --group readers
step "delete offsets" -m sort consumer-groups "${at[@]}" --delete-offsets --group readers --topic tools
step "delete a group" consumer-groups "${at[@]}" --delete --group readers
step "delete a group that is not there" consumer-groups "${at[@]}" --delete --group nobody

step "alter a setting" configs "${at[@]}" --alter --entity-type topics --entity-name tools --add-config segment.bytes=1048576,max.message.bytes=100000
step "alter a setting to nonsense" configs "${at[@]}" --alter --entity-type topics --entity-name tools --add-config retention.ms=soon
step "describe settings" configs "${at[@]}" --describe --entity-type topics --entity-name tools
step "remove a setting" configs "${at[@]}" --alter --entity-type topics --entity-name tools --delete-config segment.bytes,max.message.bytes
step "describe settings after that" configs "${at[@]}" --describe --entity-type topics --entity-name tools
step "create a compacted topic" topics "${at[@]}" --create --topic tools-compacted --partitions 1 --config cleanup.policy=compact --config segment.ms=3600000
step "describe it" topics "${at[@]}" --describe --topic tools-compacted
step "compact and delete" configs "${at[@]}" --alter --entity-type topics --entity-name tools-compacted --add-config cleanup.policy=[compact,delete]
step "a policy that is none" configs "${at[@]}" --alter --entity-type topics --entity-name tools-compacted --add-config cleanup.policy=squeeze
step "topics with settings" -m "grep -oE 'Topic: tools(-compacted)? ' | sort" topics "${at[@]}" --describe --topics-with-overrides
step "produce without a key" console-producer "${at[@]}" --topic tools-compacted <<< 'no key'
step "produce with keys" console-producer "${at[@]}" --topic tools-compacted --reader-property parse.key=true --reader-property key.separator=: < "$scratch/lines"
step "all settings" -m "sed -E 's/ sensitive=.*//' | sort" configs "${at[@]}" --describe --entity-type topics --entity-name tools --all

brokers=(--entity-type brokers --entity-name 1)
step "describe the broker's settings that were altered" configs "${at[@]}" --describe "${brokers[@]}"
step "alter one" configs "${at[@]}" --alter "${brokers[@]}" --add-config log.retention.ms=86400000
step "alter one for all brokers" configs "${at[@]}" --alter --entity-type brokers --entity-default --add-config log.segment.bytes=2097152
step "alter one that is fixed" configs "${at[@]}" --alter "${brokers[@]}" --add-config num.partitions=7
step "describe those that were altered" configs "${at[@]}" --describe "${brokers[@]}"
step "describe those of all brokers" -m 'grep -v min.insync.replicas' configs "${at[@]}" --describe --entity-type brokers --entity-default
step "what a topic has of them" -m "grep -E '^(retention.ms|segment.bytes)=' | sort" configs "${at[@]}" --describe --entity-type topics --entity-name tools-gzip --all
step "remove one" configs "${at[@]}" --alter "${brokers[@]}" --delete-config log.retention.ms
step "remove the one of all brokers" configs "${at[@]}" --alter --entity-type brokers --entity-default --delete-config log.segment.bytes
step "all of the broker's settings" -m "sed -E 's/ sensitive=.*//' | grep -E '^(auto.create|default.repl|delete.topic|log.cleaner.(dele|min)|log.clean.*policy|log.index|log.message|log.retention.[bhm]|log.roll|log.segment|message.max|num.part)' | sort" \
  configs "${at[@]}" --describe "${brokers[@]}" --all
groups=(--entity-type groups --entity-name readers)
step "describe a group's settings" configs "${at[@]}" --describe "${groups[@]}"
step "alter a group's setting" configs "${at[@]}" --alter "${groups[@]}" --add-config consumer.session.timeout.ms=50000
step "alter it out of bounds" configs "${at[@]}" --alter "${groups[@]}" --add-config consumer.session.timeout.ms=1
step "describe a group's settings after that" configs "${at[@]}" --describe "${groups[@]}"
step "all of a group's settings" -m "sed -E 's/ sensitive=.*//' | sort" configs "${at[@]}" --describe "${groups[@]}" --all
step "settings of users" -m "sed -E 's/(SCRAM-SHA-512[^,]*), (SCRAM-SHA-256.*)/\2, \1/'" configs "${at[@]}" --describe --entity-type users
for kind in clients client-metrics ips; do step "settings of $kind" configs "${at[@]}" --describe --entity-type $kind; done

echo '{"partitions": [{"topic": "tools", "partition": 0, "offset": 1}], "version": 1}' > "$scratch/delete.json"
step "delete records" delete-records "${at[@]}" --offset-json-file "$scratch/delete.json"
step "first offsets after that" get-offsets "${at[@]}" --topic tools --time earliest

step "send many" -m "grep -oE '^[0-9]+ records sent' | tail -1" producer-perf-test --topic many --num-records 20000 --record-size 100 --throughput -1 \
  --command-property bootstrap.servers="$servers"
step "read many" -m "tail -1 | awk -F', ' '{ print (\$(NF-5) >= 20000 ? \"all\" : \$0) }'" consumer-perf-test "${at[@]}" --topic many --num-records 20000 --timeout 30000
step "send in transactions" -m "grep -oE '^[0-9]+ records sent|[A-Za-z]+Exception' | tail -1" producer-perf-test --topic many --num-records 10 --record-size 10 \
  --throughput -1 --transaction-duration-ms 100 --command-property bootstrap.servers="$servers"

step "list transactions" -m 'head -1' transactions "${at[@]}" list
step "describe a transaction that is not there" -m "grep -oE 'could not be found|authorization failure'" transactions "${at[@]}" describe --transactional-id gone
step "producers of a partition" -m "cut -d' ' -f2-4,6-" transactions "${at[@]}" describe-producers --topic tools-compacted --partition 0
step "transactions that hang" transactions "${at[@]}" find-hanging --broker-id 1
step "elect the preferred leader" leader-election "${at[@]}" --election-type preferred --topic tools --partition 0
step "elect any leader" leader-election "${at[@]}" --election-type unclean --topic tools --partition 0
step "elect a leader of what is not there" -m 'tail -1' leader-election "${at[@]}" --election-type preferred --topic nowhere --partition 0
step "elect all leaders" leader-election "${at[@]}" --election-type preferred --all-topic-partitions
# How much a partition has on disk depends on how its batches came.
step "log directories" -m "grep -oE '\{\"partition\"[^}]*' | sed -E 's/\"size\":[0-9]+/\"size\":X/' | sort" \
  log-dirs "${at[@]}" --describe --broker-list 1 --topic-list tools-gzip,tools-compacted
step "the quorum" -m "sed -E 's/^(ClusterId|HighWatermark|LeaderEpoch|MaxFollowerLagTimeMs): .*/\1/'" metadata-quorum "${at[@]}" describe --status
step "how far the quorum is" -m "awk '{ print \$1, \$4, \$NF }'" metadata-quorum "${at[@]}" describe --replication
step "describe committed offsets" -m "grep -oE 'Configs: .*'" topics "${at[@]}" --describe --topic __consumer_offsets
step "all kinds of groups" -m "grep -E '^(GROUP|readers)'" groups "${at[@]}" --list
step "share groups" share-groups "${at[@]}" --list
step "groups of streams" streams-groups "${at[@]}" --list
step "reassignments" reassign-partitions "${at[@]}" --list
echo '{"topics": [{"topic": "tools"}], "version": 1}' > "$scratch/topics.json"
step "plan a reassignment" -m "sed -E 's#\"/[^\"]*\"#DIR#g'" reassign-partitions "${at[@]}" --generate --topics-to-move-json-file "$scratch/topics.json" --broker-list 1
step "where the cluster listens" -m "sed -E 's/127.0.0.1 [0-9]+/HOST PORT/'" cluster list-endpoints "${at[@]}"
step "access control" acls "${at[@]}" --list
step "delegation tokens" delegation-tokens "${at[@]}" --describe --owner-principal User:ada
step "subscriptions to clients' metrics" client-metrics "${at[@]}" --list

# The login is wrong first, and then right.
for mechanism in PLAIN SCRAM-SHA-256 SCRAM-SHA-512; do
  case $mechanism in PLAIN) module=plain.Plain ;; *) module=scram.Scram ;; esac
  for password in wrong secret; do
    printf '%s\n' security.protocol=SASL_PLAINTEXT sasl.mechanism=$mechanism \
      "sasl.jaas.config=org.apache.kafka.common.security.${module}LoginModule required username=\"ada\" password=\"$password\";" > "$scratch/$password"
    step "log in by $mechanism with a $password password" -m 'tail -1' topics --bootstrap-server "$login" --command-config "$scratch/$password" --describe --topic tools
  done
done
step "log in and produce" console-producer --bootstrap-server "$login" --command-config "$scratch/secret" --topic tools-login < "$scratch/lines"
step "log in and consume" console-consumer --bootstrap-server "$login" --command-config "$scratch/secret" --topic tools-login --group tools-login --from-beginning --max-messages 6 --timeout-ms 30000

step "list topics" -m 'grep tools' topics "${at[@]}" --list
step "delete topics" topics "${at[@]}" --delete --topic 'tools.*'
step "list topics after that" -m 'grep tools' topics "${at[@]}" --list
step "delete what is not there" topics "${at[@]}" --delete --topic nowhere
step "requests that are not there" -m "sed -nE 's/^([A-Za-z]+)\(.*UNSUPPORTED.*/\1/p' | sort" broker-api-versions "${at[@]}"
