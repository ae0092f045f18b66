# shellcheck shell=bash
# A real Kafka on loopback, one process a broker, without Docker: the jars come from Maven Central, once.
#
#   .dev/cache/kafka-VERSION/   lib/ (jars), pom.xml, broker-*.jsa (class data archive), formatted/ (empty data folders)
#   .dev/kafka/N/node-I/        server.properties, data/, log; N is the number of brokers, I counts from 1
#   .dev/run/kafka-node-I.pid   what runs

source "$root/scripts/packages.sh"

kafka_version=4.3.1  # the newest whose pom resolves as published
kafka_dist=$cache_dir/kafka-$kafka_version
kafka_cluster_id=dG9rZW5yYWlsLWRldi0xMA  # 16 bytes in base64url; all folders share it so that formats can be copied
kafka_ready_seconds=90

kafka_usage='./dev kafka start [--brokers N] | stop [--wipe] | status'

kafka_command() {
  local action=${1:-} brokers='' wipe=false
  [ $# -gt 0 ] && shift
  case "$action" in
    --help | -h) say "Usage: $kafka_usage" && return ;;
    start | stop | status) ;;
    '') usage_error "./dev kafka needs to know what to do" "$kafka_usage" ;;
    *) usage_error "./dev kafka cannot $action" "$kafka_usage" ;;
  esac
  while [ $# -gt 0 ]; do
    case "$action $1" in
      'start --brokers')
        [ $# -gt 1 ] || usage_error "--brokers needs a number" "$kafka_usage"
        brokers=$2 && shift
        ;;
      'start --brokers='*) brokers=${1#*=} ;;
      'stop --wipe') wipe=true ;;
      *) usage_error "./dev kafka $action does not know $1" "$kafka_usage" ;;
    esac
    shift
  done
  case "$brokers" in
    '' | [1-9]) ;;
    *) usage_error "--brokers takes a number from 1 to 9, not '$brokers'" "$kafka_usage" ;;
  esac
  case "$action" in
    start) with_lock kafka kafka_start "$brokers" ;;
    stop) with_lock kafka kafka_stop "$wipe" ;;
    status) kafka_status ;;
  esac
}

kafka_pid_file() { printf '%s/run/kafka-node-%d.pid' "$dev_dir" "$1"; }
kafka_node_dir() { printf '%s/kafka/%d/node-%d' "$dev_dir" "$1" "$2"; }

# The size of the cluster that was started last and not stopped since.
kafka_size() { cat "$dev_dir/run/kafka.size" 2>/dev/null; }

# Addresses of a cluster of N, comma-separated, from its own configuration.
kafka_bootstrap() {
  local size=$1 node
  for ((node = 1; node <= size; node++)); do
    sed -n 's|^advertised.listeners=PLAINTEXT://||p' "$(kafka_node_dir "$size" "$node")/server.properties"
  done | paste -sd,
}

# --- start ----------------------------------------------------------------------------------------------------------

kafka_start() {
  local asked=$1 size node started=()
  size=$(kafka_size) || size=''
  if [ -n "$size" ] && kafka_any_alive "$size"; then
    if [ -n "$asked" ] && [ "$asked" -ne "$size" ]; then
      die "a Kafka with $size broker(s) runs here already." "./dev kafka stop, then ./dev kafka start --brokers $asked"
    fi
  else
    size=${asked:-1}
  fi
  need_packages kafka
  kafka_fetch
  kafka_configure "$size"
  echo "$size" >"$dev_dir/run/kafka.size"

  # Ctrl-C or a failed start ends what this call has started, and only that.
  trap 'for node in "${started[@]}"; do end_process "$(kafka_pid_file "$node")" KILL; done' EXIT
  trap 'exit 130' INT TERM
  for ((node = 1; node <= size; node++)); do
    process_of "$(kafka_pid_file "$node")" >/dev/null && continue
    started+=("$node")
    kafka_launch "$size" "$node"
  done
  if [ ${#started[@]} -gt 0 ]; then step "Starting Kafka $kafka_version: ${#started[@]} broker(s)"; fi
  for ((node = 1; node <= size; node++)); do
    wait_for "$kafka_ready_seconds" "Kafka broker $node" "$(kafka_node_dir "$size" "$node")/log" \
      "$(kafka_pid_file "$node")" kafka_answers "$size" "$node" || exit 1
  done
  trap - EXIT INT TERM
  if [ ${#started[@]} -gt 0 ]; then step "Kafka answers"; else say "Kafka runs already."; fi
  kafka_bootstrap "$size"
}

kafka_any_alive() {
  local node
  for ((node = 1; node <= $1; node++)); do
    process_of "$(kafka_pid_file "$node")" >/dev/null && return
  done
  return 1
}

# A node answers when it names the whole cluster: clients that start then need no retries.
kafka_answers() {
  local size=$1 address
  address=$(sed -n 's|^advertised.listeners=PLAINTEXT://||p' "$(kafka_node_dir "$size" "$2")/server.properties")
  kcat -b "$address" -L -m 2 2>/dev/null | grep -E "^ $size brokers:" >/dev/null
}

# The jars and the class data archive. Complete or absent: a download that is cut leaves nothing that looks like one.
kafka_fetch() {
  with_cache_lock kafka_fetch_locked
}

with_cache_lock() {
  need_folder "$cache_dir"
  (
    exec {cache_fd}>"$cache_dir/lock"
    take_lock "$cache_fd" "Another ./dev is fetching Kafka here; waiting for it."
    "$@"
  )
}

kafka_fetch_locked() {
  if [ ! -d "$kafka_dist/lib" ]; then
    step "Downloading Kafka $kafka_version with Maven (about 70 MB, once)"
    mkdir -p "$kafka_dist"
    rm -rf "$kafka_dist/lib.part"
    kafka_pom >"$kafka_dist/pom.xml"
    local log=$kafka_dist/maven.log
    (cd "$kafka_dist" && mvn -B -ntp org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
      -DincludeScope=runtime "-DoutputDirectory=$kafka_dist/lib.part") >"$log" 2>&1 || {
      grep -E 'ERROR' "$log" | head -n 5 >&2 || true
      die "Maven could not fetch Kafka; its whole output is in $log" \
        "Behind a proxy or a mirror: set it up in ~/.m2/settings.xml, then run the same command again." \
        "PKIX in it means a proxy that opens TLS: put its certificate into /usr/local/share/ca-certificates/NAME.crt" \
        "and run update-ca-certificates; Java reads what that writes."
    }
    mv "$kafka_dist/lib.part" "$kafka_dist/lib"
  fi
  [ -s "$(kafka_archive)" ] || [ -e "$(kafka_archive).failed" ] || kafka_make_archive
}

kafka_pom() {
  cat <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tokenrail.dev</groupId>
  <artifactId>kafka-broker</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$kafka_version</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
XML
}

# An archive fits one Java only, so its name holds which.
kafka_archive() {
  printf '%s/broker-%s.jsa' "$kafka_dist" "$(readlink -f "$(command -v java)" | cksum | cut -d' ' -f1)"
}

# Fills java_options for a cluster of N brokers. The compiler stays at its first tier and the heap small, because a
# broker here lives for minutes; the heap has room for records of 64 MiB on a topic raised to take them. A benchmark
# that wants the broker at its best says so in KAFKA_DEV_JAVA_OPTIONS, which comes last and so wins.
kafka_java_options() {
  java_options=(-Xms96m -Xmx768m -XX:+UseSerialGC -Xss512k -XX:MaxDirectMemorySize=512m
    -Djdk.nio.maxCachedBufferSize=1048576 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn
    -Dorg.slf4j.simpleLogger.showDateTime=true "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS")
  if [ -n "${KAFKA_DEV_JAVA_OPTIONS:-}" ]; then
    # shellcheck disable=SC2206  # words are options
    java_options+=(${KAFKA_DEV_JAVA_OPTIONS})
  else
    java_options+=(-XX:TieredStopAtLevel=1)
  fi
}

# A class data archive halves every later start (two seconds instead of four); making it is one start that is watched.
kafka_make_archive() {
  step "Preparing fast starts for Kafka (about 10 s, once)"
  local archive log=$kafka_dist/archive.log folder=$kafka_dist/archive-run ports pid deadline
  archive=$(kafka_archive)
  rm -rf "$folder"
  mkdir -p "$folder"
  mapfile -t ports < <(free_ports 2)
  kafka_properties 1 1 "$folder/data" "${ports[@]}" >"$folder/server.properties"
  local java_options
  kafka_java_options
  java "${java_options[@]}" -cp "$kafka_dist/lib/*" kafka.tools.StorageTool format -t "$kafka_cluster_id" \
    -c "$folder/server.properties" >"$log" 2>&1 || true
  launch "$folder/pid" "$folder/server.properties" "$log" java "${java_options[@]}" \
    "-XX:ArchiveClassesAtExit=$archive.part" -cp "$kafka_dist/lib/*" kafka.Kafka "$folder/server.properties"
  trap 'end_process "$folder/pid" KILL' EXIT
  trap 'exit 130' INT TERM
  deadline=$((SECONDS + kafka_ready_seconds))
  until kcat -b "127.0.0.1:${ports[0]}" -L -m 2 2>/dev/null | grep '^ 1 brokers:' >/dev/null; do
    if ! process_of "$folder/pid" >/dev/null || [ "$SECONDS" -ge "$deadline" ]; then break; fi
    sleep 0.2
  done
  end_process "$folder/pid" TERM 60
  trap - EXIT INT TERM
  rm -rf "$folder"
  if [ -s "$archive.part" ]; then
    mv "$archive.part" "$archive"
  else
    # Starts are slower without; that is no reason to have no Kafka.
    say "No archive came out (see $log); Kafka will take a few seconds longer to start."
    touch "$archive.failed"
  fi
}

# kafka_properties SIZE NODE DATA_DIR PORT CONTROLLER_PORT [all ports of the cluster: broker, controller, broker, ...]
kafka_properties() {
  local size=$1 node=$2 data=$3 port=$4 controller=$5 voters='' other min_isr=1
  shift 3
  [ "$size" -gt 1 ] || set -- "$port" "$controller"
  [ "$size" -le 1 ] || shift 2
  for ((other = 1; other <= size; other++)); do
    voters+="${voters:+,}$other@127.0.0.1:${*:other*2:1}"
  done
  local replicas=$((size < 3 ? size : 3))
  [ "$replicas" -lt 3 ] || min_isr=2
  cat <<PROPERTIES
process.roles=broker,controller
node.id=$node
controller.quorum.voters=$voters
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$data
auto.create.topics.enable=false
num.partitions=4
default.replication.factor=$replicas
min.insync.replicas=$min_isr
offsets.topic.replication.factor=$replicas
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=$min_isr
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
# A topic may be raised to records of 64 MiB by its own max.message.bytes; followers must be able to copy those. The
# default for topics that say nothing stays Kafka's own, so that a limit that was not set shows here too.
replica.fetch.max.bytes=73400320
replica.fetch.response.max.bytes=73400320
PROPERTIES
  if [ "$size" -gt 1 ]; then
    # A dead broker is noticed in two to four seconds instead of nine: tests that kill brokers need not wait.
    cat <<'PROPERTIES'
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=300
controller.quorum.fetch.timeout.ms=1000
controller.quorum.election.timeout.ms=500
controller.quorum.election.backoff.max.ms=300
replica.lag.time.max.ms=3000
PROPERTIES
  fi
}

# Keeps ports from start to start, so that clients which outlive a stop find the cluster again, unless another program
# has taken one meanwhile.
kafka_configure() {
  local size=$1 node ports=() ports_file=$dev_dir/kafka/$1/ports port
  kafka_any_alive "$size" && return
  mkdir -p "$dev_dir/kafka/$size"
  if [ -r "$ports_file" ]; then
    mapfile -t ports <"$ports_file"
    for port in "${ports[@]}"; do
      if port_in_use "$port"; then
        say "Port $port is taken by another program now; Kafka moves to new ports."
        ports=()
        break
      fi
    done
  fi
  [ ${#ports[@]} -eq $((2 * size)) ] || mapfile -t ports < <(free_ports $((2 * size)))
  printf '%s\n' "${ports[@]}" >"$ports_file"
  for ((node = 1; node <= size; node++)); do
    local folder
    folder=$(kafka_node_dir "$size" "$node")
    mkdir -p "$folder"
    kafka_properties "$size" "$node" "$folder/data" "${ports[@]:2*node-2:2}" "${ports[@]}" >"$folder/server.properties"
    [ -e "$folder/data/meta.properties" ] || kafka_format "$size" "$node"
  done
}

# Formatting takes a second of Java for some files that depend on nothing but the node's number: kept and copied.
kafka_format() {
  local folder template=$kafka_dist/formatted/$2
  folder=$(kafka_node_dir "$1" "$2")
  rm -rf "$folder/data"
  if [ ! -d "$template" ]; then
    local java_options log=$folder/format.log
    kafka_java_options
    [ ! -s "$(kafka_archive)" ] || java_options+=("-XX:SharedArchiveFile=$(kafka_archive)")
    java "${java_options[@]}" -cp "$kafka_dist/lib/*" kafka.tools.StorageTool format -t "$kafka_cluster_id" \
      -c "$folder/server.properties" >"$log" 2>&1 || {
      tail -n 15 "$log" >&2
      die "Kafka could not format its data folder $folder/data"
    }
    mkdir -p "$kafka_dist/formatted"
    rm -rf "$template.$$"
    cp -r "$folder/data" "$template.$$"
    mv -T "$template.$$" "$template" 2>/dev/null || rm -rf "$template.$$"
  else
    cp -r "$template" "$folder/data"
  fi
}

kafka_launch() {
  local folder java_options
  folder=$(kafka_node_dir "$1" "$2")
  kafka_java_options
  [ ! -s "$(kafka_archive)" ] || java_options+=("-XX:SharedArchiveFile=$(kafka_archive)")
  if [ -s "$folder/log" ]; then mv "$folder/log" "$folder/log.previous"; fi
  launch "$(kafka_pid_file "$2")" "$folder/server.properties" "$folder/log" \
    java "${java_options[@]}" -cp "$kafka_dist/lib/*" kafka.Kafka "$folder/server.properties"
}

# --- stop and status ------------------------------------------------------------------------------------------------

kafka_stop() {
  local wipe=$1 pid_file pid alive=() signal=TERM
  # Data that will be forgotten needs no clean shutdown.
  ! $wipe || signal=KILL
  for pid_file in "$dev_dir"/run/kafka-node-*.pid; do
    [ -e "$pid_file" ] || continue
    if pid=$(process_of "$pid_file"); then
      alive+=("$pid")
      kill -s "$signal" "$pid" 2>/dev/null || true  # all at once, so that they do not wait for each other
    fi
  done
  for pid_file in "$dev_dir"/run/kafka-node-*.pid; do
    if [ -e "$pid_file" ]; then end_process "$pid_file" "$signal" 15; fi
  done
  rm -f "$dev_dir/run/kafka.size"
  if $wipe; then rm -rf "$dev_dir/kafka"; fi
  say "Kafka: ${#alive[@]} broker(s) stopped."
}

kafka_status() {
  local size node pid
  if ! size=$(kafka_size) || ! kafka_any_alive "$size"; then
    say "Kafka does not run here. Start it with ./dev kafka start"
    return 1
  fi
  for ((node = 1; node <= size; node++)); do
    if pid=$(process_of "$(kafka_pid_file "$node")"); then
      say "broker $node: pid $pid, $(kafka_answers "$size" "$node" && echo answers || echo 'does not answer'), log $(kafka_node_dir "$size" "$node")/log"
    else
      say "broker $node: down; ./dev kafka start brings it back"
    fi
  done
  kafka_bootstrap "$size"
}
