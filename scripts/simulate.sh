# shellcheck shell=bash
# The simulation by command: many seeds, fast. `./dev test simulation` runs fewer, under sanitizers.

source "$root/scripts/build.sh"

simulate_command() {
  need_packages build
  with_lock build-release build_preset release tokenrail-simulate
  exec "$root/build/release/bin/tokenrail-simulate" "$@"
}
