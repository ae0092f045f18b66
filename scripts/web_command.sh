# shellcheck shell=bash
# ./dev web: what is made from the page in a real browser, on a real stack of the release build. Both write into docs/.

source "$root/scripts/test.sh"

web_command() {
  local what=${1:-}
  case "$what" in
    measure | screenshots) ;;
    *) usage_error "unknown: ./dev web $what" "./dev web measure|screenshots" ;;
  esac
  [ $# -eq 1 ] || usage_error "./dev web $what takes no arguments" "./dev web measure|screenshots"
  need_packages build test kafka postgres web web-test
  with_lock build-release build_preset release "${programs[@]}"
  with_lock build-web build_web
  start_test_servers
  export TOKENRAIL_TEST_BIN_DIR=$root/build/release/bin WEB_RESULTS=$root/build/web-results WEB_SCREENSHOTS=$root/docs/screenshots
  "$python" "$root/tests/web/run.py" "--project=$what"
}
