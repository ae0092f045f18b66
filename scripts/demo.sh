#!/usr/bin/env bash
# The main job, end to end, with nothing to configure. `./dev demo` comes here once everything is built; the work is
# done by scripts/demo.py, with Debian's own Python.
set -euo pipefail
exec /usr/bin/python3 "$(dirname "${BASH_SOURCE[0]}")/demo.py" "$@"
