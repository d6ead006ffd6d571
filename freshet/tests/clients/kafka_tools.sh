#!/usr/bin/env bash
# Kafka's own command-line tools against the broker at the address given: what they say, a line
# each. The lines are compared with those that an Apache Kafka gives, so whatever differs from run
# to run is left out of them.
set -uo pipefail
servers=$1
kafka=$(cd "$(dirname "$0")/../../.." && pwd)/tools/kafka/kafka
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Ids, addresses, times, the blanks of tables, where in the tool an error was thrown, how a broker
# words it (each has its own words for the same error code), and a setting that Apache Kafka sets
# for all topics by itself when it is new.
without_chance() {
  sed -E -e "s/$servers/HOST:PORT/g" -e 's/(localhost|127\.0\.0\.1):[0-9]+/HOST:PORT/g' -e 's/TopicId: [A-Za-z0-9_-]{22}/TopicId: ID/' \
    -e 's/\[?20[0-9]{2}-[0-9]{2}-[0-9]{2}[ T][0-9:,]+\]? ?//g' -e 's/CreateTime:[0-9]+/CreateTime:T/g' -e 's/[[:blank:]]+/ /g' -e 's/^ | $//g' \
    -e 's/min.insync.replicas=1,?//' -e 's/(errors\.[A-Za-z]+Exception): .*/\1/' -e 's/^(Error while executing [a-z]+ command) .*/\1/' -e '/^at [a-z]/d' -e '/^$/d' -e '/KIP-848/d' -e '/deprecated/d'
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
step "compaction" topics "${at[@]}" --create --topic compacted --config cleanup.policy=compact
ours='cleanup.policy|compression.type|flush|index|max.message.bytes|message.timestamp|retention|segment.(bytes|index|ms)'
step "all settings" -m "sed -E 's/ sensitive=.*//' | grep -E '^($ours)' | sort" configs "${at[@]}" --describe --entity-type topics --entity-name tools --all

echo '{"partitions": [{"topic": "tools", "partition": 0, "offset": 1}], "version": 1}' > "$scratch/delete.json"
step "delete records" delete-records "${at[@]}" --offset-json-file "$scratch/delete.json"
step "first offsets after that" get-offsets "${at[@]}" --topic tools --time earliest

step "send many" -m "grep -oE '^[0-9]+ records sent' | tail -1" producer-perf-test --topic many --num-records 20000 --record-size 100 --throughput -1 \
  --command-property bootstrap.servers="$servers"
step "read many" -m "tail -1 | awk -F', ' '{ print (\$(NF-5) >= 20000 ? \"all\" : \$0) }'" consumer-perf-test "${at[@]}" --topic many --num-records 20000 --timeout 30000
step "send in transactions" -m "grep -oE '^[0-9]+ records sent|[A-Za-z]+Exception' | tail -1" producer-perf-test --topic many --num-records 10 --record-size 10 \
  --throughput -1 --transaction-duration-ms 100 --command-property bootstrap.servers="$servers"

step "list topics" -m 'grep tools' topics "${at[@]}" --list
step "delete topics" topics "${at[@]}" --delete --topic 'tools.*'
step "list topics after that" -m 'grep tools' topics "${at[@]}" --list
step "delete what is not there" topics "${at[@]}" --delete --topic nowhere
step "API versions" -m "grep -c 'Produce(0)'" broker-api-versions "${at[@]}"
