# shellcheck shell=bash
# What runs Tokenrail as a whole: the stack to play with (up, down), and the doors to the demo, the chaos and the benchmark.

source "$root/scripts/build.sh"

# What people try first: the build that is made soonest. TOKENRAIL_DEV_PRESET names another one.
demo_preset=${TOKENRAIL_DEV_PRESET:-quick}
demo_bin=$root/build/$demo_preset/bin
# The built web page; without it the API serves none.
web_page=$root/build/web

# --- up and down --------------------------------------------------------------------------------------------------------

up_command() {
  [ $# -eq 0 ] || usage_error "./dev up takes no arguments" "./dev up"
  need_packages build demo kafka postgres
  build_programs_and_web "$demo_preset"
  with_lock up up_start
}

up_start() {
  local bootstrap database
  bootstrap=$("$root/dev" kafka start | tail -n 1)
  database=$("$root/dev" postgres start | tail -n 1)
  export TOKENRAIL_KAFKA_BOOTSTRAP_SERVERS=$bootstrap TOKENRAIL_DATABASE_URL=$database

  step "Topics and tables"
  "$demo_bin/tokenrail" topics apply >&2
  "$demo_bin/tokenrail" migrate >&2

  # The key ring is made once, so that credentials of an earlier run can be opened.
  export TOKENRAIL_KEYRING_FILE=$dev_dir/keyring.json TOKENRAIL_AUTH_MODE=dev
  if [ ! -e "$TOKENRAIL_KEYRING_FILE" ]; then "$demo_bin/tokenrail" keys create "$TOKENRAIL_KEYRING_FILE" >&2; fi

  # Connections of organisations may lead to what runs on this machine.
  export TOKENRAIL_EGRESS_ALLOW=${TOKENRAIL_EGRESS_ALLOW-127.0.0.0/8,::1}
  up_models
  up_worker registry-sync
  up_worker router
  if [ -e "$web_page/index.html" ]; then export TOKENRAIL_API_WEB_DIR=${TOKENRAIL_API_WEB_DIR-$web_page}; fi
  TOKENRAIL_API_LISTEN=127.0.0.1:0 up_worker registry-api

  step "Tokenrail is up"
  cat >&2 <<TEXT

In your shell:
  export TOKENRAIL_KAFKA_BOOTSTRAP_SERVERS=$bootstrap
  export TOKENRAIL_DATABASE_URL=$database
  export OLLAMA_BASE_URL=$OLLAMA_BASE_URL
  export TOKENRAIL_KEYRING_FILE=$TOKENRAIL_KEYRING_FILE
  export TOKENRAIL_AUTH_MODE=dev
  export TOKENRAIL_DOCTOR_ROUTERS=http://$(cat "$dev_dir/run/router.address")
  export TOKENRAIL_DOCTOR_APIS=http://127.0.0.1:$(api_port)
  export REGISTRY_API=http://127.0.0.1:$(api_port)
  export PATH=$demo_bin:\$PATH

Then:
  tokenrail doctor
  tokenrail registry list
  tokenrail chat "Why is the sky blue?"

Web page: $(web_address)
Registry: http://127.0.0.1:$(api_port)/openapi.json
Logs:     $dev_dir/logs/router.log, $dev_dir/logs/registry-sync.log, $dev_dir/logs/registry-api.log
Metrics:  http://$(cat "$dev_dir/run/router.address")/metrics
The end:  ./dev down
TEXT
}

# Where there is an Ollama its models are used; otherwise the simulator, said clearly.
up_models() {
  local log=$dev_dir/logs/provider-simulator.log pid_file=$dev_dir/run/provider-simulator.pid port
  local simulator=
  if process_of "$pid_file" >/dev/null; then simulator=http://$(cat "$dev_dir/run/provider-simulator.address"); fi
  export OLLAMA_BASE_URL=${OLLAMA_BASE_URL:-http://localhost:11434}
  # A shell may have exported what an earlier `up` printed: then it is no Ollama that answers there.
  if [ "${OLLAMA_BASE_URL%/}" != "$simulator" ] && curl -s -f -m 2 -o /dev/null "$OLLAMA_BASE_URL/api/version"; then
    say "Models come from the Ollama at $OLLAMA_BASE_URL"
    if ! curl -s -f -m 2 "$OLLAMA_BASE_URL/api/tags" | grep '"name"' >/dev/null; then
      say "It has none yet. Get a small one: ollama pull llama3.2:1b"
    fi
    return
  fi
  if [ -n "$simulator" ]; then
    OLLAMA_BASE_URL=$simulator
    say "Models come from the simulator that runs here, at $simulator. Its answers are made up."
    return
  fi
  say "No Ollama answers at $OLLAMA_BASE_URL: a simulator takes its place. Its answers are made up."
  port=$(free_ports 1)
  echo "127.0.0.1:$port" >"$dev_dir/run/provider-simulator.address"
  launch "$pid_file" "$demo_bin/tokenrail-provider-simulator" "$log" \
    "$demo_bin/tokenrail-provider-simulator" --port "$port"
  OLLAMA_BASE_URL=http://127.0.0.1:$port
  wait_for 20 "the simulator" "$log" "$pid_file" curl -s -f -m 2 -o /dev/null "$OLLAMA_BASE_URL/api/version" || exit 1
}

# up_worker NAME: starts tokenrail-NAME and waits until it reports itself ready.
up_worker() {
  local name=$1 log=$dev_dir/logs/$1.log pid_file=$dev_dir/run/$1.pid address
  if process_of "$pid_file" >/dev/null; then
    say "tokenrail-$name runs already."
    return
  fi
  step "Starting tokenrail-$name"
  address=127.0.0.1:$(free_ports 1)
  echo "$address" >"$dev_dir/run/$name.address"
  TOKENRAIL_HTTP_LISTEN=$address launch "$pid_file" "$demo_bin/tokenrail-$name" "$log" "$demo_bin/tokenrail-$name"
  if ! wait_for 60 "tokenrail-$name" "$log" "$pid_file" curl -s -f -m 2 -o /dev/null "http://$address/readyz"; then
    say "What it says of itself:"
    curl -s -m 2 "http://$address/readyz" >&2 || true
    exit 1
  fi
}

# The port that the running API named in its log.
api_port() {
  sed -n 's/.*registry API on port \([0-9]*\).*/\1/p' "$dev_dir/logs/registry-api.log" | tail -n 1
}

web_address() {
  if [ -n "${TOKENRAIL_API_WEB_DIR:-}" ]; then
    echo "http://127.0.0.1:$(api_port)/ui/"
  else
    echo "none; './dev build web' builds it, then ./dev down && ./dev up"
  fi
}

down_command() {
  local wipe=()
  if [ "${1:-}" = --wipe ]; then wipe=(--wipe) && shift; fi
  [ $# -eq 0 ] || usage_error "./dev down does not know $1" "./dev down [--wipe]"
  with_lock up down_stop
  "$root/dev" kafka stop "${wipe[@]}"
  "$root/dev" postgres stop "${wipe[@]}"
}

down_stop() {
  local name
  # The API and the router first: they finish what they have begun while everything that they need is still there.
  for name in registry-api router registry-sync provider-simulator; do
    if process_of "$dev_dir/run/$name.pid" >/dev/null; then
      step "Stopping $name"
      end_process "$dev_dir/run/$name.pid" TERM 40
    fi
    rm -f "$dev_dir/run/$name.address"
  done
}

# --- the demo, the chaos and the benchmark --------------------------------------------------------------------------------

demo_command() {
  need_packages build demo postgres
  # The tests show the demo with the build they have made already, which is the sanitized one.
  build_programs_and_web "$demo_preset"
  export TOKENRAIL_DEV_BIN=$demo_bin
  exec bash "$root/scripts/demo.sh" "$@"
}

chaos_command() {
  need_packages build test kafka postgres
  local preset=${TOKENRAIL_DEV_PRESET:-release}
  build_programs "$preset"
  export TOKENRAIL_DEV_BIN=$root/build/$preset/bin
  exec "$python" "$root/scripts/chaos.py" "$@"
}

bench_command() {
  need_packages build test kafka postgres
  if [ "${1:-}" = registry ]; then
    shift
    with_lock build-release build_preset release "${programs[@]}" tokenrail-bench-api tokenrail-bench-resolve
    exec "$python" "$root/tests/bench/registry.py" "$@"
  fi
  with_lock build-release build_preset release "${programs[@]}" tokenrail-bench-{floor,kafka,load,decoders,resolve}
  exec "$python" "$root/tests/bench/run.py" "$@"
}
