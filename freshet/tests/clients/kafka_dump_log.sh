#!/usr/bin/env bash
# Kafka's own reader of log files over what a broker has written: kafka_dump_log.sh ADDRESS DATA_DIR
# sends some records to the broker at the address and prints what is in its files in that folder, a
# line each. kafka_dump_log.sh --check DATA_DIR holds the indexes of a broker that was stopped
# against their logs.
set -euo pipefail
kafka=$(cd "$(dirname "$0")/../../.." && pwd)/tools/kafka/kafka

if [ "$1" = --check ]; then
  checked=0
  for index in "$2"/dumped*-0/*.index "$2"/dumped*-0/*.timeindex; do
    # Small segments have no entries.
    [ -s "$index" ] || continue
    "$kafka" dump-log --index-sanity-check --files "$index" | tail -1
    # Without the flag each entry is looked up in the log; what does not fit is complained about.
    said=$("$kafka" dump-log --files "$index")
    if grep -iE 'mismatch|not found|out of order|corrupt' <<< "$said"; then exit 1; fi
    checked=$((checked + $(grep -c offset <<< "$said")))
  done
  for snapshot in "$2"/dumped-0/*.snapshot; do
    "$kafka" dump-log --files "$snapshot" | grep -c 'producerId: '
  done
  "$kafka" dump-log --offsets-decoder --files "$(printf '%s\n' "$2"/__consumer_offsets-*/00000000000000000000.log | paste -sd ,)" | grep -c '"group":"dumpers"'
  [ "$checked" -gt 10 ] && echo "all well"
  exit
fi

servers=$1
dir=$2/dumped-0
"$kafka" topics --bootstrap-server "$servers" --create --topic dumped --partitions 1 >&2
# All three in one batch, which goes when the producer is closed, however slow the machine is.
for codec in none gzip snappy lz4 zstd; do
  printf 'a:1\nb:2\nc:3\n' | "$kafka" console-producer --bootstrap-server "$servers" --topic dumped --compression-codec $codec \
    --timeout 60000 --request-timeout-ms 60000 --reader-property parse.key=true --reader-property key.separator=: >&2
done
"$kafka" console-consumer --bootstrap-server "$servers" --topic dumped --group dumpers --from-beginning --max-messages 15 >&2
# How well a batch packs depends on its timestamps, and where the next one begins on that.
"$kafka" dump-log --deep-iteration --print-data-log --files "$dir"/00000000000000000000.log |
  sed -E -e 's/(CreateTime|crc|producerId|position|size): -?[0-9]+ ?//g' -e "s#$dir##g" | awk '{ printf "line %02d: %s\n", NR, $0 }'
# A table: each batch fills a segment, and the last of them is not cleaned. What has to go is
# awaited.
table=$2/dumped-table-0
"$kafka" topics --bootstrap-server "$servers" --create --topic dumped-table --partitions 1 --config cleanup.policy=compact \
  --config min.cleanable.dirty.ratio=0 --config internal.segment.bytes=1000 >&2
for lines in 'a:%0600dold\nb:2\n' 'a:%0600dnew\n' 'c:%0600dnewest\n'; do
  printf "$lines" 0 | "$kafka" console-producer --bootstrap-server "$servers" --topic dumped-table \
    --timeout 60000 --request-timeout-ms 60000 --reader-property parse.key=true --reader-property key.separator=: >&2
done
for _ in {1..300}; do grep -q old "$table"/*.log || break; sleep 0.2; done
"$kafka" dump-log --deep-iteration --print-data-log --files "$(printf '%s\n' "$table"/*.log | paste -sd ,)" |
  sed -nE -e 's/.*isvalid: ([a-z]+).*/isvalid: \1/p' -e 's/^\| offset: ([0-9]+) .* key: (.*) payload: 0*(.*)/offset \1: \2=\3/p' |
  sort -u | awk '{ printf "compacted line %d: %s\n", NR, $0 }'
# Enough for some index entries.
"$kafka" producer-perf-test --topic dumped --num-records 20000 --record-size 100 --throughput -1 --command-property bootstrap.servers="$servers" >&2
