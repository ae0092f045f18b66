# shellcheck shell=bash
# Coverage by command: what the unit tests run of each module. scripts/coverage_report.py adds up what llvm-cov reports.

# Of all lines, in percent: less fails the command. Single modules have no bound: what needs real neighbours is run by the
# integration tests, which are not counted.
coverage_lines_min=80

source "$root/scripts/test.sh"

coverage_command() {
  local module known
  known=" $(module_names | tr '\n' ' ')"
  for module in "$@"; do
    case "$known" in *" $module "*) ;; *) usage_error "unknown module: $module" "./dev coverage [MODULE...] with:$known" ;; esac
  done
  need_packages build test
  with_lock build-coverage measure_coverage "$@"
}

# The modules, one a line: each has a program unit-MODULE-tests.
module_names() {
  find "$root/common" "$root/workers" "$root/cli" -name CMakeLists.txt -exec \
    sed -n 's/^ *NAME \([a-z_]*\)$/\1/p' {} + | sort
}

# measure_coverage [MODULE...]: of all modules, or of the ones named with their files.
measure_coverage() {
  local folder=$root/build/coverage tests=() objects=() name
  local profiles=$folder/profiles
  configure_only coverage
  if [ $# -gt 0 ]; then
    for name in "$@"; do tests+=("unit-$name-tests"); done
  else
    mapfile -t tests < <(tests_of coverage unit)
  fi
  build_preset coverage "${tests[@]}"

  step "Running ${#tests[@]} test programs"
  rm -rf "$profiles"
  mkdir -p "$profiles"
  # A file for each process: some tests start others.
  LLVM_PROFILE_FILE=$profiles/%p-%m.profraw ctest --test-dir "$folder" --output-on-failure --no-tests=error \
    --timeout 900 -j "$(nproc)" -R "^($(IFS='|' && echo "${tests[*]}"))\$" >&2 ||
    die "a unit test failed, so the coverage would be too low; the failure is above."

  # The libraries too: a file that no test program links is not covered, and would be missing otherwise.
  for name in "${tests[@]}"; do objects+=(-object "$folder/bin/$name"); done
  while IFS= read -r name; do objects+=(-object "$name"); done < <(find "$folder" -name 'libtokenrail_*.a')
  llvm-profdata-19 merge -sparse -o "$folder/unit.profdata" "$profiles"/*.profraw
  llvm-cov-19 export -summary-only -instr-profile "$folder/unit.profdata" \
    -ignore-filename-regex "^/usr/|^$root/(tests|build)/" "${objects[@]}" >"$folder/coverage.json"
  local bound=()
  [ $# -gt 0 ] || bound=(--lines-min "$coverage_lines_min")
  "$python" "$root/scripts/coverage_report.py" --root "$root" "${bound[@]}" "$folder/coverage.json" "$@"
}
