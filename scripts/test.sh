# shellcheck shell=bash
# The test layers. Each runs as a process of its own and writes "passed failed skipped" lines; the sum is the last line
# of the output. A layer that dies counts as a failure even when it wrote nothing.

source "$root/scripts/build.sh"

# What `./dev test` runs, cheapest first, and what runs only when named.
test_layers=(format include scripts tidy web_code unit conformance simulation integration web chaos demo)
test_layers_by_name=(compose tsan tsan_integration fuzz promises)

# How many tests a whole run may skip in CI. More than that fails the run: a test that stops running unseen protects
# nothing.
skips_expected=0

test_dir=$dev_dir/test         # the servers of the tests live apart from those that a person plays with
results_dir=$dev_dir/results

# Once a layer failed CI has nothing to gain from more minutes of clang-tidy than this.
tidy_budget_seconds=300

test_command() {
  local layer known
  known=" ${test_layers[*]} ${test_layers_by_name[*]} "
  for layer in "$@"; do
    case "$known" in *" $layer "*) ;; *) usage_error "unknown test layer: $layer" "./dev test [LAYER...] with:$known" ;; esac
  done
  [ $# -gt 0 ] || set -- "${test_layers[@]}"
  with_lock test run_layers "$@"
}

# run_layer LAYER [COMMAND...]: a process of its own, started by that command.
run_layer() {
  local layer=$1
  shift
  : >"$RESULTS_DIR/$layer.count"
  "$@" bash -c 'set -euo pipefail; root=$1; echo $$ >"$RESULTS_DIR/$2.pid"
    source "$root/scripts/lib.sh"; source "$root/scripts/test.sh"; "layer_$2"' dev "$root" "$layer"
}

# start_beside LAYER COMMAND...: the same in the background, in a session of its own. Its output goes to LAYER.log,
# $! is to be waited for.
start_beside() {
  local layer=$1
  shift
  run_layer "$layer" setsid "$@" >"$RESULTS_DIR/$layer.log" 2>&1 &
}

# end_beside LAYER SIGNAL
end_beside() { kill "-$2" -- "-$(cat "$RESULTS_DIR/$1.pid")" 2>/dev/null || true; }

# tally LAYER CODE HOW: adds what it counted to run_layers' sums. One that died counts as a failure.
tally() {
  local p f s
  read -r p f s < <(awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }' "$results_dir/$1.count")
  if [ "$2" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
  [ "$f" -eq 0 ] || broken+=("$1")
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  step "Layer $1: $p passed, $f failed$([ "$s" -eq 0 ] || echo ", $s skipped") $3"
}

run_layers() {
  local layer code passed=0 failed=0 skipped=0 broken=()
  # One installation instead of one a layer.
  local sets=(build)
  case " $* " in *' format '* | *' tidy '*) sets+=(lint) ;; esac
  case " $* " in *' scripts '* | *' unit '* | *' conformance '* | *' simulation '* | *' integration '* | *' chaos '* | *' tsan '* | *' tsan_integration '* | *' fuzz '* | *' promises '*) sets+=(test) ;; esac
  case " $* " in *' integration '* | *' chaos '* | *' tsan_integration '* | *' promises '*) sets+=(kafka postgres) ;; esac
  case " $* " in *' demo '*) sets+=(demo postgres) ;; esac
  case " $* " in *' web '*) sets+=(test kafka postgres web web-test) ;; *' web_code '*) sets+=(web) ;; esac
  case " $* " in *' scripts '* | *' include '*) sets+=(lint) ;; esac
  need_packages "${sets[@]}"

  rm -rf "$results_dir"
  mkdir -p "$results_dir"
  export RESULTS_DIR=$results_dir
  # Recordings of real providers; the variable says where they are. The simulator and other layers replay them too.
  export TOKENRAIL_TRANSCRIPTS=${TOKENRAIL_TRANSCRIPTS:-$root/../shared/transcripts}
  # Complete catalogues of models; tests over them are skipped where they are absent.
  export TOKENRAIL_TEST_CATALOGS=${TOKENRAIL_TEST_CATALOGS:-$root/../shared/catalogs}
  local beside=
  for layer in "$@"; do
    # Integration mostly waits, and this wants only a processor: whatever the others leave of it.
    if [ "$layer" = simulation ] && [[ " $* " == *" integration "* ]]; then
      step "Layer simulation goes on beside the next ones"
      start_beside simulation chrt --idle 0
      beside=$!
      trap 'end_beside simulation TERM' EXIT
      continue
    fi
    step "Layer $layer"
    local began=$SECONDS code=0
    run_layer "$layer" || code=$?
    [ "$code" -lt 128 ] || { say "Interrupted." && exit "$code"; }
    tally "$layer" "$code" "in $((SECONDS - began)) s"
  done
  if [ -n "$beside" ]; then
    code=0
    wait "$beside" || code=$?
    trap - EXIT
    cat "$results_dir/simulation.log" >&2
    tally simulation "$code" "beside the others"
  fi
  if [ ${#broken[@]} -gt 0 ]; then
    say "Failed: ${broken[*]}. One layer again: ./dev test ${broken[0]}"
  fi
  if [ "$skipped" -gt 0 ]; then say "$skipped skipped"; fi
  skips_are_expected "$skipped" || failed=$((failed + 1))
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}

# skips_are_expected SKIPPED: on a person's machine a missing tool or folder of recordings may skip more than in CI.
skips_are_expected() {
  [ "${CI:-}" = true ] || return 0
  [ "$1" -gt "$skips_expected" ] || return 0
  say "FAILED $1 tests were skipped, at most $skips_expected are expected." \
    "Install what the skipped tests name, or raise skips_expected in scripts/test.sh and say why."
  return 1
}

# count LAYER PASSED FAILED SKIPPED
count() { echo "$2 $3 $4" >>"$RESULTS_DIR/$1.count"; }

# check LAYER NAME COMMAND...: one check, one test.
check() {
  local layer=$1 name=$2
  shift 2
  if "$@" >&2; then
    count "$layer" 1 0 0
  else
    count "$layer" 0 1 0
    say "FAILED $name"
  fi
}

# --- checks of the text -----------------------------------------------------------------------------------------------

# Every C++ file of ours, NUL-separated: what git tracks and what it would.
cpp_files() {
  git -C "$root" ls-files -z --cached --others --exclude-standard -- '*.cpp' '*.hpp' |
    (cd "$root" && xargs -0 -r sh -c 'for f; do [ ! -f "$f" ] || printf "%s\0" "$f"; done' sh)
}

# Names each file that is not laid out as .clang-format says.
format_check() {
  local files
  files=$(cd "$root" && cpp_files | xargs -0 -r -n 40 -P "$(nproc)" clang-format-19 --dry-run 2>&1 |
    sed -n 's/^\([^ :]*\):[0-9]*:[0-9]*: warning: .*/\1/p' | sort -u)
  [ -z "$files" ] || { say "$files" && return 1; }
}

layer_format() { check format 'clang-format; ./dev format fixes it' format_check; }

layer_include() {
  check include 'include directions' "$python" "$root/scripts/check_includes.py" "$root"
  check include 'the include check finds planted violations' "$python" "$root/scripts/check_includes.py" --self-test
  check include 'sizes of files and classes' "$python" "$root/scripts/check_sizes.py" "$root"
  check include 'the check of sizes finds planted violations' "$python" "$root/scripts/check_sizes.py" --self-test
}

layer_scripts() {
  cd "$root"
  check scripts shellcheck shellcheck dev .ci/run scripts/*.sh
  check scripts 'plain English' "$python" scripts/check_english.py
  run_pytest scripts "$root/tests/unit/scripts" "$root/tests/unit/schemas" "$root/tests/unit/how_to"
}

layer_tidy() {
  with_lock build-tidy configure_tidy
  local base
  if ! base=$(tidy_base); then
    say "No earlier commit to compare with (a shallow clone?): clang-tidy looks at uncommitted files only."
    base=HEAD
  fi
  say "Comparing with $(git -C "$root" log -1 --format='%h %s' "$base")"
  check tidy 'clang-tidy on what changed' "$python" "$root/scripts/tidy.py" --build "$root/build/tidy" \
    --budget "$tidy_budget_seconds" --changed-since "$base"
}

configure_only() { configure "$1" "$root/build/$1"; }

# The commands by which clang-tidy reads: a file at a time.
configure_tidy() { configure dev "$root/build/tidy" -DTOKENRAIL_UNITY=OFF; }

# Where this work began: the point where it left the main branch, or the commit before it when it *is* that branch.
tidy_base() {
  local base
  cd "$root"
  if base=$(git merge-base origin/main HEAD 2>/dev/null) && [ "$base" != "$(git rev-parse HEAD)" ]; then
    echo "$base"
  else
    git rev-parse --verify --quiet HEAD~1
  fi
}

# --- tests that run -----------------------------------------------------------------------------------------------------

sanitizer_options() {
  export ASAN_OPTIONS="detect_leaks=1:halt_on_error=1:strict_string_checks=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
  export LSAN_OPTIONS="suppressions=$root/scripts/lsan.supp:print_suppressions=0${LSAN_OPTIONS:+:$LSAN_OPTIONS}"
  export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
  export TSAN_OPTIONS="suppressions=$root/scripts/tsan.supp:halt_on_error=1:second_deadlock_stack=1:print_suppressions=0${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
  if [ -x /usr/bin/llvm-symbolizer-19 ]; then
    export ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-19
    TSAN_OPTIONS+=:external_symbolizer_path=/usr/bin/llvm-symbolizer-19
  fi
}

# run_ctest COUNT_AS PRESET LABEL [CTEST OPTIONS...]
run_ctest() {
  local layer=$1 preset=$2 label=$3 code=0
  shift 3
  sanitizer_options
  export GTEST_OUTPUT="xml:$RESULTS_DIR/gtest-$layer-$label/"
  ctest --test-dir "$root/build/$preset" -L "^$label\$" --output-on-failure --no-tests=error --timeout 900 \
    --output-junit "$RESULTS_DIR/ctest-$layer-$label.xml" "$@" >&2 || code=$?
  "$python" "$root/scripts/count_tests.py" --gtest "$RESULTS_DIR/gtest-$layer-$label" \
    --ctest "$RESULTS_DIR/ctest-$layer-$label.xml" >>"$RESULTS_DIR/$layer.count"
  [ "$code" -eq 0 ]
}

# run_pytest COUNT_AS FOLDER...
run_pytest() {
  local layer=$1 report code=0
  shift
  report=$RESULTS_DIR/pytest-$layer.xml
  (cd "$root" && PYTHONDONTWRITEBYTECODE=1 "$python" -m pytest -q -p no:cacheprovider --durations=10 --durations-min=20 \
    --junitxml="$report" "$@") >&2 ||
    code=$?
  "$python" "$root/scripts/count_tests.py" --pytest "$report" >>"$RESULTS_DIR/$layer.count"
  [ "$code" -eq 0 ]
}

layer_unit() {
  with_lock build-dev build_preset dev
  # Some wait for brokers that do not answer.
  run_ctest unit dev unit -j "$((2 * $(nproc)))"
}

layer_conformance() {
  if [ ! -d "$TOKENRAIL_TRANSCRIPTS" ]; then
    say "SKIPPED conformance: no recorded exchanges at $TOKENRAIL_TRANSCRIPTS (TOKENRAIL_TRANSCRIPTS names their folder)"
    count conformance 0 0 1
    return
  fi
  with_lock build-dev build_preset dev
  run_ctest conformance dev conformance -j "$(nproc)"
}

# Optimised: thousands of histories, and rare bugs that want tens of thousands. Then fewer of them under the sanitizers,
# which also watch over the simulation itself.
layer_simulation() {
  with_lock build-release build_preset release simulation-tests
  local code=0
  run_ctest simulation release simulation --timeout 1800 || code=1
  with_lock build-dev build_preset dev tokenrail-simulate
  sanitizer_options
  check simulation 'histories under the sanitizers' "$root/build/dev/bin/tokenrail-simulate" --seeds 1500
  say "The simulation took $SECONDS s"
  return "$code"
}

# Starts a fresh Kafka and PostgreSQL for the tests and has them end with this process.
start_test_servers() {
  stop_test_servers
  trap stop_test_servers EXIT
  trap 'exit 130' INT TERM
  TOKENRAIL_TEST_KAFKA_BOOTSTRAP=$(TOKENRAIL_DEV_DIR=$test_dir "$root/dev" kafka start | tail -n 1)
  TOKENRAIL_TEST_DATABASE_URL=$(TOKENRAIL_DEV_DIR=$test_dir "$root/dev" postgres start | tail -n 1)
  # For brokers of a test's own.
  TOKENRAIL_TEST_KAFKA_DISTRIBUTION=$(source "$root/scripts/kafka.sh" && echo "$kafka_dist")
  export TOKENRAIL_TEST_KAFKA_BOOTSTRAP TOKENRAIL_TEST_DATABASE_URL TOKENRAIL_TEST_KAFKA_DISTRIBUTION
}

stop_test_servers() {
  TOKENRAIL_DEV_DIR=$test_dir "$root/dev" kafka stop --wipe 2>/dev/null || true
  TOKENRAIL_DEV_DIR=$test_dir "$root/dev" postgres stop --wipe 2>/dev/null || true
}

# They mostly wait, so three groups of about the same length run side by side, each with servers of its own. The first
# group is whatever the other two do not name.
integration_second=("$root"/tests/integration/test_{api_contract,hand_over,loss,real_llm,sync_shares}.py)
integration_third=("$root"/tests/integration/test_{api_rights,bounds,cli,governed_faults,key_rotation,refused,registry_api,secured,topics_replaced,verify}.py)

layer_integration() {
  with_lock build-dev build_preset dev
  start_test_servers
  local group code=0
  local -A pids=()
  for group in integration_second integration_third; do
    step "Layer $group goes on beside the first"
    # A shell makes its background jobs ignore Ctrl-C; this one gets SIGINT from us, and its tests end their workers.
    start_beside "$group" env --default-signal=INT
    pids[$group]=$!
  done
  trap 'end_beside integration_second INT; end_beside integration_third INT; wait; stop_test_servers' EXIT
  sanitizer_options
  export TOKENRAIL_TEST_BIN_DIR=$root/build/dev/bin
  local others=("${integration_second[@]}" "${integration_third[@]}")
  run_pytest integration "$root/tests/integration" "${others[@]/#/--ignore=}" || code=1
  say "The first group took $SECONDS s"
  for group in "${!pids[@]}"; do
    wait "${pids[$group]}" || code=1
    cat "$RESULTS_DIR/$group.log" >&2
    cat "$RESULTS_DIR/$group.count" >>"$RESULTS_DIR/integration.count"
  done
  trap stop_test_servers EXIT
  return "$code"
}

layer_integration_second() {
  start_group_servers
  local code=0
  run_ctest integration_second dev integration || code=1
  run_pytest integration_second "${integration_second[@]}" || code=1
  say "The second group took $SECONDS s"
  return "$code"
}

layer_integration_third() {
  start_group_servers
  local code=0
  run_pytest integration_third "${integration_third[@]}" || code=1
  say "The third group took $SECONDS s"
  return "$code"
}

# Servers of this group's own, and what its tests find them by.
start_group_servers() {
  test_dir=$dev_dir/test-${FUNCNAME[1]#layer_}
  start_test_servers
  sanitizer_options
  export TOKENRAIL_TEST_BIN_DIR=$root/build/dev/bin
}

# Short, and with a session as short as brokers allow, so that much happens in it. The sanitized build: what goes wrong
# while everything falls over is where lifetimes go wrong. The seed draws faults of every kind that is about topics, names
# or a stopped process.
layer_chaos() {
  sanitizer_options
  check chaos './dev chaos' env TOKENRAIL_DEV_DIR="$test_dir" TOKENRAIL_DEV_PRESET=dev \
    "$root/dev" chaos --minutes 3 --seed 27 --session 6 --rate 12 --partitions 6 --topics
}

layer_demo() {
  sanitizer_options
  check demo './dev demo --exit' env TOKENRAIL_DEV_DIR="$test_dir" TOKENRAIL_DEV_PRESET=dev "$root/dev" demo --exit
}

# The web page without a browser: it builds, its code is laid out and typed as the API's document says, and its parts work.
layer_web_code() {
  with_lock build-web build_web
  local code=0
  check web_code 'layout and types of the web page' npm --prefix "$root/web" run --silent check
  (cd "$root/web" && npx vitest run --reporter=dot --reporter=junit --outputFile.junit="$RESULTS_DIR/vitest.xml" >&2) || code=1
  "$python" "$root/scripts/count_tests.py" --pytest "$RESULTS_DIR/vitest.xml" >>"$RESULTS_DIR/web_code.count"
  return "$code"
}

# The page in a browser on a real stack, two browsers side by side. Screenshots and traces are left in build/web-results.
layer_web() {
  with_lock build-dev build_preset dev "${programs[@]}"
  with_lock build-web build_web
  local code=0 results=$root/build/web-results
  rm -rf "$results"
  start_test_servers
  sanitizer_options
  export TOKENRAIL_TEST_BIN_DIR=$root/build/dev/bin WEB_RESULTS=$results
  "$python" "$root/tests/web/run.py" >&2 || code=1
  "$python" "$root/scripts/count_tests.py" --pytest "$results/playwright.xml" >>"$RESULTS_DIR/web.count"
  return "$code"
}

# By name only: under ThreadSanitizer, a build of its own. scripts/tsan.supp says what of the system's libraries is set aside and why.
layer_tsan() {
  local tests
  with_lock build-tsan configure_only tsan
  mapfile -t tests < <(tests_of tsan unit)
  with_lock build-tsan build_preset tsan "${tests[@]}"
  run_ctest tsan tsan unit -j "$(nproc)"
}

# tests_of PRESET LABEL: the programs that ctest runs under a label. Each is a target of the same name.
tests_of() {
  ctest --test-dir "$root/build/$1" -L "^$2\$" -N | sed -n 's/^ *Test *#[0-9]*: //p'
}

# By name only: an hour of waiting.
layer_tsan_integration() {
  with_lock build-tsan build_preset tsan
  local code=0
  start_test_servers
  export TOKENRAIL_TEST_BIN_DIR=$root/build/tsan/bin
  run_ctest tsan_integration tsan integration || code=1
  run_pytest tsan_integration "$root/tests/integration" || code=1
  return "$code"
}

# By name only: each parser of foreign bytes, a bounded number of mutations of the golden records, in a build of its own.
layer_fuzz() {
  local tests
  with_lock build-fuzz configure_only fuzz
  mapfile -t tests < <(tests_of fuzz fuzz)
  with_lock build-fuzz build_preset fuzz "${tests[@]}"
  run_ctest fuzz fuzz fuzz -j "$(nproc)"
}

# By name only: the tests of hand-overs, of single parts that fail, are away or were replaced, of abuse and of keys that are rotated, with as
# many streams and requests, as long and as often as the promises say; an hour of a machine with nothing else to do. The
# optimised build: ten thousand streams in one process.
layer_promises() {
  with_lock build-release build_preset release
  start_test_servers
  export TOKENRAIL_TEST_BIN_DIR=$root/build/release/bin
  export TOKENRAIL_TEST_STREAMS=500 TOKENRAIL_TEST_STREAM_SECONDS=30 TOKENRAIL_TEST_REPEATS=3 TOKENRAIL_TEST_KILLS=20
  export TOKENRAIL_TEST_STOPPED_STREAMS=200 TOKENRAIL_TEST_DRAINED_STREAMS=10000 TOKENRAIL_TEST_REQUESTS_PER_SECOND=100
  export TOKENRAIL_TEST_STUCK_CALLS=50 TOKENRAIL_TEST_STUCK_STREAMS=200 TOKENRAIL_TEST_PARTITION_DOWN_SECONDS=600
  export TOKENRAIL_TEST_REFUSED_STREAMS=40 TOKENRAIL_TEST_REFUSED_STREAM_SECONDS=12 TOKENRAIL_TEST_AWAY_SECONDS=60
  export TOKENRAIL_TEST_STOPPED_SECONDS=60 TOKENRAIL_TEST_RECORDS_OF_HEADERS=50
  export TOKENRAIL_TEST_REFUSED_REQUESTS=1000000 TOKENRAIL_TEST_ANSWERED_SECONDS=60
  local code=0
  TOKENRAIL_TEST_CHANGES=10000 GTEST_FILTER='RandomChanges.*' run_ctest promises release integration \
    -R '^integration-registry-sync-tests$' || code=1
  run_pytest promises -s "$root"/tests/integration/test_{name_server,key_rotation,hand_over,one_partition,refused,governed_faults,bounds,registry_sync,topics_replaced}.py || code=1
  return "$code"
}

layer_compose() {
  local compose=()
  if docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
  elif command -v docker-compose >/dev/null; then
    compose=(docker-compose)
  else
    say "SKIPPED compose: neither docker compose nor docker-compose is installed."
    count compose 0 0 1
    return
  fi
  cd "$root"
  local profile
  for profile in ollama api; do
    check compose "compose.yaml with the profile $profile" "${compose[@]}" -f compose.yaml --profile "$profile" config --quiet
  done
}

# --- lint and format ----------------------------------------------------------------------------------------------------

lint_command() {
  [ $# -eq 0 ] || usage_error "./dev lint takes no arguments" "./dev lint"
  need_packages build lint
  local code=0
  step "Format"
  format_check || code=1
  step "Include directions"
  "$python" "$root/scripts/check_includes.py" "$root" >&2 || code=1
  step "Sizes of files and classes"
  "$python" "$root/scripts/check_sizes.py" "$root" >&2 || code=1
  step "clang-tidy over the whole tree"
  with_lock build-tidy configure_tidy
  "$python" "$root/scripts/tidy.py" --build "$root/build/tidy" >&2 || code=1
  [ "$code" -eq 0 ] || die "lint found something; its messages are above."
  say "Clean."
}

format_command() {
  [ $# -eq 0 ] || usage_error "./dev format takes no arguments" "./dev format"
  need_packages lint
  (cd "$root" && cpp_files | xargs -0 -r clang-format-19 -i)
}
