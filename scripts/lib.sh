# shellcheck shell=bash
# What every part of ./dev shares: messages, folders, locks, free ports, and processes that outlive the command but
# are ended only when they are really ours. Sourced by ./dev, which sets `root` and the shell options.

dev_dir=${TOKENRAIL_DEV_DIR:-$root/.dev}
case "$dev_dir" in
  /*) ;;
  *) dev_dir=$PWD/$dev_dir ;;
esac
# Downloads are the same for everyone, so a moved dev_dir does not fetch them again.
cache_dir=$root/.dev/cache
readonly dev_dir cache_dir
python=/usr/bin/python3  # Debian's own: another one may come first on PATH, without our packages
readonly python

# --- messages -------------------------------------------------------------------------------------------------------
# All to standard error: standard output is for the one line that other programs read.

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' red='' plain=''
fi
readonly bold red plain

say() { printf '%s\n' "$*" >&2; }

# A long step begins; the time since the command began shows how far we are.
step() { printf '%s[%3ds] %s%s\n' "$bold" "$SECONDS" "$*" "$plain" >&2; }

# die MESSAGE [WHAT TO DO]
die() {
  printf '%sdev: %s%s\n' "$red" "$1" "$plain" >&2
  if [ $# -gt 1 ]; then printf '     %s\n' "${@:2}" >&2; fi
  exit 1
}

# usage_error MESSAGE [COMMAND THAT HELPS]: the caller asked for something that does not exist.
usage_error() {
  printf 'dev: %s\n' "$1" >&2
  printf '     Try: %s\n' "${2:-./dev help}" >&2
  exit 2
}

# --- folders --------------------------------------------------------------------------------------------------------

# need_folder FOLDER: makes it, and refuses with what helps where that or writing into it is not allowed: after a run
# with sudo it is root's.
need_folder() {
  local above=$1
  if mkdir -p "$1" 2>/dev/null && [ -w "$1" ]; then return; fi
  while [ ! -e "$above" ]; do above=$(dirname "$above"); done
  die "cannot write to $1: $above belongs to $(stat -c %U "$above")" \
    "After a run with sudo, once: sudo chown -R $(id -un) $dev_dir $root/build"
}

# --- locks ----------------------------------------------------------------------------------------------------------

# with_lock NAME COMMAND...: one run at a time for each name and dev_dir; says so when it has to wait.
# The command runs in a subshell that holds the lock as an open file; launch() does not pass that on.
with_lock() {
  local name=$1
  shift
  need_folder "$dev_dir/run"
  (
    exec {lock_fd}>"$dev_dir/run/$name.lock"
    take_lock "$lock_fd" "Another ./dev is busy with $name here; waiting for it."
    "$@"
  )
}

# take_lock FD MESSAGE: in a subshell without traps of its own; the message is for the user who has to wait.
take_lock() {
  flock -n "$1" && return
  # Second by second: an interrupt that comes while flock is being started reaches the shell alone, which acts on it when
  # its command has ended.
  trap 'exit 130' INT TERM
  say "$2"
  until flock -w 1 "$1"; do :; done
  trap - INT TERM
}

# --- ports ----------------------------------------------------------------------------------------------------------

# Ports with a listener, decimal, one a line. /proc needs no package and no privilege.
listening_ports() {
  local file port
  for file in /proc/net/tcp /proc/net/tcp6; do
    [ -r "$file" ] || continue
    while read -r port; do printf '%d\n' "0x$port"; done < <(awk '$4 == "0A" { sub(/.*:/, "", $2); print $2 }' "$file")
  done
}

# grep reads to the end on purpose, here and elsewhere: with -q it would leave, and under pipefail the writer that it
# leaves behind would make the answer "no".
port_in_use() { listening_ports | grep -x "$1" >/dev/null; }

# free_ports N: N different ports without a listener. Below 32768, where Linux hands out no ephemeral ports: a port
# that is free now stays free until we use it, unless another program asks for that very number.
free_ports() {
  local wanted=$1 taken port
  taken=" $(listening_ports | tr '\n' ' ') "
  while [ "$wanted" -gt 0 ]; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    case "$taken" in *" $port "*) continue ;; esac
    taken+="$port "
    printf '%d\n' "$port"
    wanted=$((wanted - 1))
  done
}

# --- processes ------------------------------------------------------------------------------------------------------
# A pid file holds "PID MARK": another process may have got the pid since, so the command line of that process must
# contain the mark. Marks are paths below dev_dir, hence ours alone.

# launch PIDFILE MARK LOGFILE COMMAND...: starts it in a session of its own, so that Ctrl-C in this terminal passes it
# by, with no file descriptor of ours left open in it but launch_keeps_fd.
launch() {
  local pid_file=$1 mark=$2 log=$3 fd
  shift 3
  mkdir -p "$(dirname "$pid_file")" "$(dirname "$log")"
  (
    # An inherited lock would be held for as long as the process lives.
    for fd in /proc/self/fd/*; do
      fd=${fd##*/}
      if [ "$fd" -gt 2 ] && [ "$fd" != "${launch_keeps_fd:-}" ]; then eval "exec $fd>&-"; fi
    done
    exec setsid "$@" </dev/null >>"$log" 2>&1
  ) &
  local pid=$!
  printf '%d %s\n' "$pid" "$mark" >"$pid_file"
  # Until its exec the child still has our own command line, in which process_of would not find the mark.
  local deadline=$((SECONDS + 10))
  until process_of "$pid_file" >/dev/null || ! is_running "$pid" || [ "$SECONDS" -ge "$deadline" ]; do sleep 0.01; done
}

# is_running PID: there is such a process, and it is no zombie.
is_running() {
  local stat
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  case "${stat##*) }" in [ZX]*) return 1 ;; esac
}

# process_of PIDFILE: prints the pid and succeeds while the process runs and is ours.
process_of() {
  local pid mark line try
  [ -r "$1" ] || return 1
  read -r pid mark <"$1" || return 1
  for try in 1 2 3 4 5; do
    is_running "$pid" || return 1
    line=$({ tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null) || return 1
    [ -z "$line" ] || break
    [ "$try" -eq 5 ] || sleep 0.01  # between two programs: a process in the middle of its exec
  done
  case "$line" in *"$mark"*) printf '%d\n' "$pid" ;; *) return 1 ;; esac
}

# end_process PIDFILE [SIGNAL] [SECONDS]: asks, waits, and only then kills. Nothing to do when it is not ours.
end_process() {
  local pid_file=$1 signal=${2:-TERM} patience=${3:-10} pid deadline
  if pid=$(process_of "$pid_file"); then
    kill -s "$signal" "$pid" 2>/dev/null || true
    deadline=$((SECONDS + patience))
    while process_of "$pid_file" >/dev/null; do
      if [ "$SECONDS" -ge "$deadline" ]; then
        kill -s KILL "$pid" 2>/dev/null || true
        deadline=$((SECONDS + 5))
      fi
      sleep 0.05
    done
  fi
  rm -f "$pid_file"
}

# wait_for SECONDS WHAT LOGFILE PIDFILE COMMAND...: until the command succeeds. Gives up at once when the process is
# gone, since waiting for it is useless; shows the end of its log in either case.
wait_for() {
  local seconds=$1 what=$2 log=$3 pid_file=$4 deadline=$((SECONDS + $1)) why=''
  shift 4
  until "$@" >/dev/null 2>&1; do
    if ! process_of "$pid_file" >/dev/null; then
      why="$what ended while starting"
    elif [ "$SECONDS" -ge "$deadline" ]; then
      why="$what did not answer within $seconds s"
    fi
    if [ -n "$why" ]; then
      say "$why. The end of $log:"
      tail -n 15 "$log" >&2 2>/dev/null || true
      return 1
    fi
    sleep 0.1
  done
}
