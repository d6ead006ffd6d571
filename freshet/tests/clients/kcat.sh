#!/usr/bin/env bash
# Kcat (Debian's, an old librdkafka) against the broker at the address given, whose listener with
# logins is at the other address: what it observes, a line each. The lines are compared with those
# that an Apache Kafka gives, so whatever differs from run to run is left out of them.
set -uo pipefail
# What the library logs is left out: lines such as %4|1795624900.447|CONFWARN|…
kcat() { timeout 30 kcat -b "$servers" "$@" 2>&1 | sed '/^%[0-9]|/d'; }
servers=$1
login=$2
scratch=$(mktemp)
trap 'rm -f "$scratch"' EXIT
observe() { printf '%s: %s\n' "$1" "$(paste -sd '~' | sed -e "s/$servers/HOST:PORT/g" -e 's#~# / #g')"; }

seq 1 40 | sed 's/\(.*\)/k\1:v\1/' > "$scratch"
for codec in none gzip snappy lz4; do
  kcat -P -t from-kcat -p 0 -K: -z $codec < "$scratch" | observe "send with $codec"
done
kcat -P -t from-kcat -p 1 -Z -K: <<< 'tombstone:' | observe "send null"
kcat -P -t from-kcat -p 1 -H a=1 -H b=2 <<< 'with headers' | observe "send headers"
kcat -P -t from-kcat -p 99 <<< 'nowhere' | grep -o 'Local: Unknown partition' | sort -u | observe "send to a partition that is not there"
kcat -C -t from-kcat -p 0 -e -q -f '%o %k %s\n' | md5sum | observe "read"
kcat -C -t from-kcat -p 0 -o -3 -e -q -f '%o %k %s\n' | observe "read the last three"
kcat -C -t from-kcat -p 0 -o 7 -c 1 -q -f '%o %k %s\n' | observe "read from an offset"
kcat -C -t from-kcat -p 1 -e -q -f '%o %k %S %h\n' | observe "read null and headers"
kcat -C -t from-kcat -p 0 -o 5000 -e -q -X auto.offset.reset=error -f '%o\n' | grep -o 'Offset out of range' | observe "read past the end"
kcat -Q -t from-kcat:0:-2 -t from-kcat:0:-1 -t from-kcat:1:-1 | observe "offsets at both ends"
kcat -Q -t from-kcat:0:1 | observe "offset at a time"
kcat -G kcat-group -c 162 -q -X auto.offset.reset=earliest -f '%p %o\n' from-kcat | sort -u | md5sum | observe "a group reads"
kcat -G kcat-group -e -q -f '%p %o\n' from-kcat | grep -c '^[0-9]' | observe "the group has read all"
kcat -L -t from-kcat | sed 's/Metadata for .*//' | observe "metadata"
kcat -L -t no-such-topic -X allow.auto.create.topics=false | tail -1 | observe "metadata of what is not there"
kcat -L -t __consumer_offsets | sed -n 's/ with .*//p' | observe "metadata of committed offsets"

servers=$login
ada=(-X security.protocol=SASL_PLAINTEXT -X sasl.mechanism=PLAIN -X sasl.username=ada)
timeout 30 kcat -b "$servers" "${ada[@]}" -X sasl.password=wrong -L -m 5 2>&1 |
  grep -o 'Authentication failed[^(]*' | sort -u | observe "log in with a wrong password"
kcat "${ada[@]}" -X sasl.password=secret -P -t from-kcat -p 2 -K: <<< 'ada:logged in' | observe "log in and send"
kcat "${ada[@]}" -X sasl.password=secret -C -t from-kcat -p 2 -e -q -f '%o %k %s\n' | observe "log in and read"
