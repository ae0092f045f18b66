# shellcheck shell=bash
# A private PostgreSQL cluster on loopback. It needs no root rights and touches no system cluster.
#
#   .dev/postgres/data/         the cluster;  socket/ its Unix socket;  log;  port
#   .dev/run/postgres.pid       what runs

source "$root/scripts/packages.sh"

postgres_bin=/usr/lib/postgresql/15/bin
postgres_dir=$dev_dir/postgres
postgres_pid_file=$dev_dir/run/postgres.pid
postgres_usage='./dev postgres start | stop [--wipe] | status'

postgres_command() {
  local action=${1:-} wipe=false
  [ $# -gt 0 ] && shift
  case "$action" in
    --help | -h) say "Usage: $postgres_usage" && return ;;
    start | stop | status) ;;
    '') usage_error "./dev postgres needs to know what to do" "$postgres_usage" ;;
    *) usage_error "./dev postgres cannot $action" "$postgres_usage" ;;
  esac
  if [ "$action ${1:-}" = 'stop --wipe' ]; then wipe=true && shift; fi
  [ $# -eq 0 ] || usage_error "./dev postgres $action does not know $1" "$postgres_usage"
  case "$action" in
    start) with_lock postgres postgres_start ;;
    stop) with_lock postgres postgres_stop "$wipe" ;;
    status) postgres_status ;;
  esac
}

postgres_url() { printf 'postgresql://tokenrail@127.0.0.1:%d/tokenrail\n' "$(cat "$postgres_dir/port")"; }

# PostgreSQL refuses to run as root, so for root its programs run as the package's own user. That one may not be able to
# walk down to a checkout below /root; it does not have to, given the folder as an open descriptor. Fills postgres_as,
# the prefix of its programs, and postgres_base, the folder as they see it. Expects $postgres_dir to exist.
postgres_choose_user() {
  postgres_as=() postgres_base=$postgres_dir postgres_fd=''
  [ "$(id -u)" -eq 0 ] || return 0
  chown -R postgres:postgres "$postgres_dir"
  exec {postgres_fd}<"$postgres_dir"
  postgres_as=(setpriv --reuid=postgres --regid=postgres --clear-groups --)
  postgres_base=/proc/self/fd/$postgres_fd
}

postgres_start() {
  need_packages postgres
  if process_of "$postgres_pid_file" >/dev/null; then
    say "PostgreSQL runs already."
    postgres_url
    return
  fi
  local postgres_as postgres_base postgres_fd log=$postgres_dir/log port=''
  mkdir -p "$postgres_dir/socket"
  postgres_choose_user
  cd /  # PostgreSQL wants to come back to where it was started, and its user may not be allowed here
  if [ ! -e "$postgres_dir/data/PG_VERSION" ]; then
    step "Making a private PostgreSQL cluster"
    rm -rf "$postgres_dir/data" "$postgres_dir/data.part"
    # No fsync while making it (it can be made again) and none while running: what lives here is for play and tests,
    # and must survive a crash of the server, not of the machine.
    "${postgres_as[@]}" "$postgres_bin/initdb" --pgdata="$postgres_base/data.part" --username=tokenrail --auth=trust \
      --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$postgres_dir/initdb.log" 2>&1 || {
      tail -n 15 "$postgres_dir/initdb.log" >&2
      die "initdb failed; the reason is above."
    }
    mv "$postgres_dir/data.part" "$postgres_dir/data"
  fi
  postgres_forget_dead_server
  # The same port as last time where it is still free: programs that outlive a stop find the server again.
  [ ! -r "$postgres_dir/port" ] || port=$(cat "$postgres_dir/port")
  if [ -z "$port" ] || port_in_use "$port"; then port=$(free_ports 1); fi
  echo "$port" >"$postgres_dir/port"

  step "Starting PostgreSQL"
  trap 'end_process "$postgres_pid_file" INT' EXIT
  trap 'exit 130' INT TERM
  local mark
  mark=tokenrail-dev-$(cksum <<<"$postgres_dir" | cut -d' ' -f1)
  launch_keeps_fd=$postgres_fd launch "$postgres_pid_file" "$mark" "$log" "${postgres_as[@]}" "$postgres_bin/postgres" \
    -D "$postgres_base/data" -c port="$port" -c listen_addresses=127.0.0.1 -c cluster_name="$mark" \
    -c unix_socket_directories="$(postgres_socket_dir)" -c fsync=off -c max_connections=200 \
    -c log_line_prefix='%m [%p] %q%u@%d ' -c logging_collector=off
  wait_for 60 PostgreSQL "$log" "$postgres_pid_file" \
    "$postgres_bin/pg_isready" -q -h 127.0.0.1 -p "$port" -U tokenrail -d postgres || exit 1
  postgres_make_database "$port"
  trap - EXIT INT TERM
  step "PostgreSQL answers"
  postgres_url
}

# A server that was killed leaves its lock file. PostgreSQL sees by itself that the process is gone, but not that it is a
# zombie, as it stays in a container whose first process does not reap children.
postgres_forget_dead_server() {
  local lock=$postgres_dir/data/postmaster.pid pid
  [ -r "$lock" ] || return 0
  pid=$(head -n 1 "$lock")
  if [ -e "/proc/$pid" ] && ! is_running "$pid"; then
    sleep 1  # its own processes end at once when they miss it; give them that moment
    rm -f "$lock" "$postgres_dir"/socket/.s.PGSQL.*
  fi
}

# A socket's path may have 107 bytes. Where the folder is deeper than that, TCP alone serves.
postgres_socket_dir() {
  if [ ${#postgres_base} -lt 80 ]; then printf '%s/socket' "$postgres_base"; fi
}

postgres_make_database() {
  local psql=(psql -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$1" -U tokenrail)
  local found
  found=$("${psql[@]}" -d postgres -c "select 1 from pg_database where datname = 'tokenrail'")
  [ -n "$found" ] || "${psql[@]}" -d postgres -c 'create database tokenrail'
}

postgres_stop() {
  local wipe=$1
  if process_of "$postgres_pid_file" >/dev/null; then
    # Fast shutdown: open sessions are ended, nothing is lost. For data that will be forgotten, at once.
    end_process "$postgres_pid_file" "$($wipe && echo QUIT || echo INT)" 20
    say "PostgreSQL stopped."
  else
    rm -f "$postgres_pid_file"
    say "PostgreSQL does not run here."
  fi
  if $wipe; then rm -rf "$postgres_dir"; fi
}

postgres_status() {
  local pid
  if ! pid=$(process_of "$postgres_pid_file"); then
    say "PostgreSQL does not run here. Start it with ./dev postgres start"
    return 1
  fi
  say "PostgreSQL: pid $pid, log $postgres_dir/log"
  postgres_url
}
