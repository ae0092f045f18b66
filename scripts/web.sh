# shellcheck shell=bash
# The web page: packages by lock file, types from the API's document, Vite. Nothing is done twice.

source "$root/scripts/packages.sh"

web_dir=$root/web
web_out=$root/build/web

# Installs exactly what the lock file names, once for each lock file.
web_packages() {
  need_packages web
  local stamp=$web_dir/node_modules/.lock-installed
  cmp -s "$web_dir/package-lock.json" "$stamp" && return
  step "Installing the packages of the web page"
  need_folder "$dev_dir/logs"
  local log=$dev_dir/logs/npm.log
  if ! (cd "$web_dir" && npm ci --no-progress) >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    die "npm ci failed; its whole output is in $log"
  fi
  cp "$web_dir/package-lock.json" "$stamp"
}

# Builds the page beside the programs; build_programs_and_web waits for it. Without it everything else works.
build_programs_and_web() {
  need_packages web
  need_folder "$dev_dir/logs"
  local log=$dev_dir/logs/web.log web
  (with_lock build-web build_web) >"$log" 2>&1 &
  web=$!
  build_programs "$1"
  if ! wait "$web"; then
    tail -n 3 "$log" >&2
    say "The web page could not be built ($log), so none is served. Try it again alone: ./dev build web"
  fi
}

# web_is_current: the output is newer than every file that it is made from.
web_is_current() {
  [ -f "$web_out/index.html" ] &&
    [ -z "$(find "$web_dir" "$root/docs/reference/openapi.json" -path "$web_dir/node_modules" -prune -o \
      -path "$web_dir/src/api/schema.d.ts" -prune -o -path "$web_dir/test-results" -prune -o \
      -type f -newer "$web_out/index.html" -print -quit)" ]
}

# Builds the page into build/web.
build_web() {
  web_packages
  if web_is_current; then
    say "The web page is up to date: $web_out"
    return
  fi
  step "Building the web page"
  (cd "$web_dir" && npm run --silent build >&2) || die "the web page does not build; the first error is above."
  # Vite keeps the times of copied files, so the result is marked as made now.
  touch "$web_out/index.html"
}
