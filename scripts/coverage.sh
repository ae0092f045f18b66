# shellcheck shell=bash
# Coverage by command: what the C++ tests run of each module, those on a real Kafka and PostgreSQL included.
# scripts/coverage_report.py adds up what llvm-cov reports.

# Of all lines of common/ and workers/, in percent: less fails the command. Single modules have no bound: what only a whole
# program does is run by the integration tests in Python, which are not counted.
coverage_lines_min=85

source "$root/scripts/test.sh"

coverage_command() {
  local module known
  known=" $(module_names | tr '\n' ' ')"
  for module in "$@"; do
    case "$known" in *" $module "*) ;; *) usage_error "unknown module: $module" "./dev coverage [MODULE...] with:$known" ;; esac
  done
  need_packages build test kafka postgres
  with_lock build-coverage measure_coverage "$@"
}

# The modules, one a line: each has a program unit-MODULE-tests, and some have an integration-MODULE-tests.
module_names() {
  find "$root/common" "$root/workers" "$root/cli" -name CMakeLists.txt -exec \
    sed -n 's/^ *NAME \([a-z_]*\)$/\1/p' {} + | sort
}

# measure_coverage [MODULE...]: of all modules, or of the ones named with their files.
measure_coverage() {
  local folder=$root/build/coverage unit=() integration=() objects=() name
  local profiles=$folder/profiles
  configure_only coverage
  mapfile -t unit < <(tests_of coverage unit)
  mapfile -t integration < <(tests_of coverage integration)
  if [ $# -gt 0 ]; then
    local all=" ${integration[*]} "
    unit=() integration=()
    for name in "$@"; do
      unit+=("unit-$name-tests")
      name=integration-${name//_/-}-tests
      case "$all" in *" $name "*) integration+=("$name") ;; esac
    done
  fi
  build_preset coverage "${unit[@]}" "${integration[@]}"

  step "Running ${#unit[@]} programs of unit tests and ${#integration[@]} of integration tests"
  rm -rf "$profiles"
  mkdir -p "$profiles"
  run_counted "$profiles" -j "$(nproc)" "${unit[@]}"
  if [ ${#integration[@]} -gt 0 ]; then
    test_dir=$dev_dir/test-coverage
    start_test_servers
    run_counted "$profiles" -j 1 "${integration[@]}"
    trap - EXIT
    stop_test_servers
  fi

  # The object files of the libraries too: a file that no test program links is not covered, and would be missing
  # otherwise. Not the libraries themselves: llvm-cov does not read all of their members.
  for name in "${unit[@]}" "${integration[@]}"; do objects+=(-object "$folder/bin/$name"); done
  while IFS= read -r name; do objects+=(-object "$name"); done < <(find "$folder"/{common,workers,cli} -path '*/tokenrail_*.dir/*.o')
  llvm-profdata-19 merge -sparse -o "$folder/tests.profdata" "$profiles"/*.profraw
  llvm-cov-19 export -summary-only -instr-profile "$folder/tests.profdata" \
    -ignore-filename-regex "^/usr/|^$root/(tests|build)/" "${objects[@]}" >"$folder/coverage.json"
  local bound=()
  [ $# -gt 0 ] || bound=(--lines-min "$coverage_lines_min")
  "$python" "$root/scripts/coverage_report.py" --root "$root" "${bound[@]}" "$folder/coverage.json" "$@"
}

# run_counted FOLDER -j JOBS TEST...: a profile for each process, since some tests start others.
run_counted() {
  local profiles=$1 jobs=$3
  shift 3
  LLVM_PROFILE_FILE=$profiles/%p-%m.profraw ctest --test-dir "$root/build/coverage" --output-on-failure --no-tests=error \
    --timeout 900 -j "$jobs" -R "^($(IFS='|' && echo "$*"))\$" >&2 ||
    die "a test failed, so the coverage would be too low; the failure is above."
}
