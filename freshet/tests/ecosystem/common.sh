# What the `run` scripts share. The working folder is empty and goes away, with every process, when
# a script has ended: `tools/ecosystem run SYSTEM HOST:PORT` sees to it.
set -euo pipefail
bootstrap=$1
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
installed=$root/target/ecosystem/$(basename "$here")
# As in an environment that was activated; and nothing is written beside the programs.
export PATH=$installed/bin:$PATH PYTHONDONTWRITEBYTECODE=1
exec 3>&1 1>&2

# Says what was done: the one line that must be the same on every broker.
did() { echo "$*" >&3; }

fail() {
  echo "$*"
  exit 1
}

# Waits for a command to succeed, for three minutes, as long as the program runs that was started
# last.
await() {
  local what=$1 until=$((SECONDS + 180))
  shift
  until "$@"; do
    [ -z "${program:-}" ] || kill -0 "$program" 2>/dev/null || fail "$what: the program has ended before"
    [ "$SECONDS" -lt "$until" ] || fail "$what: not within three minutes"
    sleep 0.2
  done
}

# Starts a program in the background; its process is `program`. A shell has its background programs
# ignore Ctrl-C, which is how most of these are ended.
start() {
  env --default-signal=INT "$@" </dev/null 3>&- &
  program=$!
}

# Starts the main class of a Java program.
start_java() { start java -Xmx1g -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$installed/classes:$installed/jars/*" "$@"; }

# Ends it as Ctrl-C does, or with `stop KILL` as a crash does.
stop() {
  kill "-${1:-INT}" "$program"
  wait "$program" || true
  program=
}

# A port that is free now.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Sends the lines of its input, `key:value`, to a topic; more arguments are kcat's.
send() {
  local topic=$1
  shift
  kcat -P -b "$bootstrap" -t "$topic" -K : "$@"
}

# So many times ten words with themselves as keys.
words() { for _ in $(seq "$1"); do printf '%s\n' to be or not to be that is the question; done | sed 's/.*/&:&/'; }

# All records of a topic, as lines `key:value`, each partition in its order.
records() { kcat -C -b "$bootstrap" -t "$1" -e -q -f '%k:%s\n'; }

# How many records a topic has.
has() { [ "$(records "$1" | wc -l)" -ge "$2" ]; }

# Of its input, lines `key:count`: the newest of each key that matches, and their sum.
newest() { awk -F: -v like="^$1\$" '$1 ~ like { newest[$1] = $2 } END { for (key in newest) sum += newest[key]; print sum + 0 }'; }

# Whether a topic of counts says so of a word.
counts() { [ "$(records "$1" | newest "$2")" = "$3" ]; }

# A Postgres of its own at `postgres`, given more settings; it refuses to be root.
start_postgres() {
  local as=() settings=()
  # Debian has the server's programs there, and not on the path.
  PATH=$PATH:$(printf '%s\n' /usr/lib/postgresql/*/bin | tail -n 1)
  postgres_port=$(free_port)
  mkdir postgres
  if [ "$(id -u)" = 0 ]; then
    chown nobody postgres
    as=(setpriv --reuid nobody --clear-groups)
  fi
  for setting in listen_addresses=127.0.0.1 unix_socket_directories= fsync=off "$@"; do settings+=(-c "$setting"); done
  "${as[@]}" initdb --pgdata postgres/data --auth trust --username shop --encoding UTF8 >/dev/null
  "${as[@]}" postgres -D postgres/data -p "$postgres_port" "${settings[@]}" </dev/null 3>&- &
  postgres=postgresql://shop@127.0.0.1:$postgres_port/postgres
  await "Postgres" sql 'SELECT 1'
}

# What Postgres answers, a line a row.
sql() { psql "$postgres" --no-psqlrc --tuples-only --no-align --command "$1"; }

# Starts a Connect worker, given a file of settings, whose REST interface is at `connect_url`.
connect_worker() {
  [ -n "${connect_url:-}" ] || connect_url=http://127.0.0.1:$(free_port)
  { cat "$1"; printf 'bootstrap.servers=%s\nlisteners=%s\n' "$bootstrap" "$connect_url"; } >worker.properties
  start_java org.apache.kafka.connect.cli.ConnectDistributed worker.properties
  await "Connect" curl --silent --fail --output /dev/null "$connect_url/connectors"
}

# Posts a connector's JSON and waits until its task runs.
connector() {
  local name
  name=$(sed -n 's/.*"name": "\(.*\)".*/\1/p' "$1" | head -n 1)
  curl --silent --show-error --fail --output /dev/null -H "Content-Type: application/json" --data "@$1" "$connect_url/connectors"
  await "the connector $name" connector_runs "$name"
}

connector_runs() { curl --silent "$connect_url/connectors/$1/status" | grep -q '"tasks":\[{"id":0,"state":"RUNNING"'; }
