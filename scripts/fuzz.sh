# shellcheck shell=bash
# Fuzzing by command, for as long as one likes; `./dev test fuzz` runs a fixed number of inputs instead. scripts/fuzz.py
# runs the programs and reports.

source "$root/scripts/test.sh"

fuzz_command() {
  local seconds=60 targets=() known help='./dev fuzz [TARGET...] [--seconds N] with:'
  known=" $(fuzz_targets | tr '\n' ' ')"
  while [ $# -gt 0 ]; do
    case "$1" in
      --seconds)
        [ $# -gt 1 ] || usage_error "--seconds needs a number" "$help$known"
        seconds=$2
        [[ $seconds =~ ^[1-9][0-9]{0,5}$ ]] || usage_error "--seconds takes a number from 1 to 999999, not '$2'" "$help$known"
        shift
        ;;
      *)
        case "$known" in *" $1 "*) targets+=("$1") ;; *) usage_error "unknown fuzz target: $1" "$help$known" ;; esac
        ;;
    esac
    shift
  done
  [ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(fuzz_targets)
  need_packages build test
  with_lock build-fuzz build_preset fuzz "${targets[@]/#/fuzz-}"
  sanitizer_options
  "$python" "$root/scripts/fuzz.py" --build "$root/build/fuzz" --findings "$dev_dir/fuzz" --seconds "$seconds" \
    --transcripts "${TOKENRAIL_TRANSCRIPTS:-$root/../shared/transcripts}" "${targets[@]}"
}

# The targets, one a line: tests/fuzz/parse_chunk.cpp is parse-chunk.
fuzz_targets() {
  local file
  for file in "$root"/tests/fuzz/*.cpp; do
    file=${file##*/}
    file=${file%.cpp}
    echo "${file//_/-}"
  done
}
