# shellcheck shell=bash
# Random histories of the registry by command, on a PostgreSQL of their own. They are optimised and without sanitizers, since
# there are thousands of them; `./dev test integration` plays a few under the sanitizers. scripts/histories.py plays them and
# reports.

source "$root/scripts/test.sh"

histories_command() {
  need_packages build test postgres
  with_lock build-release build_preset release integration-registry-sync-tests
  histories_dir=$dev_dir/histories
  trap 'TOKENRAIL_DEV_DIR=$histories_dir "$root/dev" postgres stop --wipe 2>/dev/null || true' EXIT
  trap 'exit 130' INT TERM
  TOKENRAIL_TEST_DATABASE_URL=$(TOKENRAIL_DEV_DIR=$histories_dir "$root/dev" postgres start | tail -n 1)
  export TOKENRAIL_TEST_DATABASE_URL
  "$python" "$root/scripts/histories.py" --program "$root/build/release/bin/integration-registry-sync-tests" "$@"
}
