# shellcheck shell=bash
# Mutation testing by command: what the unit tests of a module notice. scripts/mutate.py does the work.

source "$root/scripts/packages.sh"

mutate_command() {
  need_packages build mutate
  with_lock mutate "$python" "$root/scripts/mutate.py" --dev-dir "$dev_dir" "$@"
}
