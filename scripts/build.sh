# shellcheck shell=bash
# Building: packages, configure once, ninja. Nothing is done twice: ninja knows what changed, CMake is run again only
# by ninja itself.

source "$root/scripts/packages.sh"
source "$root/scripts/web.sh"

build_command() {
  local preset=dev
  case "${1:-}" in
    -*) usage_error "./dev build takes a preset and targets, not $1" "./dev build [dev|quick|release|tsan|fuzz|coverage|web] [TARGET...]" ;;
    '') ;;
    web)
      [ $# -eq 1 ] || usage_error "./dev build web takes no targets" "./dev build web"
      with_lock build-web build_web
      return
      ;;
    *) preset=$1 && shift ;;
  esac
  case "$preset" in
    dev | quick | release | tsan | fuzz | coverage) ;;
    *) usage_error "unknown preset: $preset" "./dev build [dev|quick|release|tsan|fuzz|coverage|web] [TARGET...]" ;;
  esac
  need_packages build
  with_lock "build-$preset" build_preset "$preset" "$@"
}

# build_preset PRESET [TARGET...]: everything, or the targets named.
build_preset() {
  local preset=$1 folder=$root/build/$1
  shift
  need_folder "$folder"
  configure "$preset" "$folder"
  step "Building $preset${*:+: $*}"
  # One line that counts up on a terminal; on a log ninja prints a line a file, which shows a CI run to be alive.
  ninja -C "$folder" "$@" >&2 || die "the build of $preset failed; the first error is above."
}

# configure PRESET FOLDER [CMAKE OPTIONS...]: once.
configure() {
  local preset=$1 folder=$2 options=("${@:3}")
  [ ! -f "$folder/build.ninja" ] || return 0
  # CI builds from nothing, which takes less time so (cmake/unity.cmake).
  if [ "${CI:-}" = true ]; then options=(-DTOKENRAIL_UNITY=ON "${options[@]}"); fi
  step "Configuring $folder"
  (cd "$root" && cmake --preset "$preset" -B "$folder" "${options[@]}" >&2) || die "CMake refused; the reason is above."
}

# The programs that people and scripts run, without tests: what release builds are for.
programs=(tokenrail tokenrail-router tokenrail-registry-sync tokenrail-registry-api tokenrail-dev-broker tokenrail-provider-simulator)

# build_programs PRESET
build_programs() {
  need_packages build
  with_lock "build-$1" build_preset "$1" "${programs[@]}"
}
