# shellcheck shell=bash
# The Debian packages behind each command. One dpkg-query when all is there (some milliseconds); apt only when not.

# What each set is for: build compiles, test checks, kafka runs a real broker, postgres a private cluster.
declare -A package_sets=(
  [build]="ca-certificates git clang-19 lld-19 llvm-19 libclang-rt-19-dev mold ccache cmake ninja-build pkg-config
    libboost1.81-dev libcurl4-openssl-dev libc-ares-dev libssl-dev libspdlog-dev libfmt-dev libsimdjson-dev
    libtomlplusplus-dev libyaml-cpp-dev librdkafka-dev libsoci-dev libpq-dev libcjose-dev libjansson-dev libre2-dev zlib1g-dev
    libjemalloc-dev libgtest-dev libgmock-dev"
  [lint]="clang-format-19 clang-tidy-19 python3 shellcheck git"
  [test]="curl kcat openssl python3 python3-venv python3-pytest python3-jsonschema python3-confluent-kafka python3-psycopg2 python3-yaml"
  [kafka]="kcat"
  [postgres]="postgresql-15"
  [demo]="curl kcat python3"
  [mutate]="python3 git"
  [web]=""
  [web-test]="chromium-headless-shell"
)

# need_packages SET...: returns when all packages of the sets are installed.
need_packages() {
  local set wanted=() missing=() package
  for set in "$@"; do
    # shellcheck disable=SC2206  # the words are the packages
    wanted+=(${package_sets[$set]})
    if [ "$set" = kafka ]; then
      # Any Java 17 or newer and any Maven will do, so Debian's come in only where there is none.
      command -v java >/dev/null || wanted+=(default-jre-headless)
      command -v mvn >/dev/null || wanted+=(maven)
    fi
    if [ "$set" = web ] && ! has_node; then wanted+=(nodejs npm); fi
  done
  [ ${#wanted[@]} -gt 0 ] || return 0
  mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | sort -u)
  mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}") <(installed_of "${wanted[@]}"))
  [ ${#missing[@]} -eq 0 ] && return
  install_packages "${missing[@]}"
  mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}") <(installed_of "${wanted[@]}"))
  for package in "${missing[@]}"; do die "apt-get said yes, but $package is not installed."; done
}

# Any Node.js from 18 on, with an npm, will do: Debian's come in only where there is none.
has_node() {
  command -v npm >/dev/null && command -v node >/dev/null &&
    [ "$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)" -ge 18 ]
}

# The installed ones among the names, sorted. dpkg-query fails when it does not know a name at all; that is an answer.
installed_of() {
  { dpkg-query --show --showformat='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true; } |
    awk '$2 == "installed" { print $1 }' | sort -u
}

install_packages() {
  local as_root=() apt_options=(-y -q --no-install-recommends)
  if [ "$(id -u)" -ne 0 ]; then
    if sudo -n true 2>/dev/null; then
      as_root=(sudo -n)
    else
      die "these Debian packages are missing and need root to install: $*" \
        "Run once: sudo apt-get update && sudo apt-get install ${apt_options[*]} $*"
    fi
  fi
  [ -r /etc/debian_version ] || die "packages are missing and this is no Debian: $*" "Debian 12 is what is supported."
  step "Installing with apt-get: $*"
  need_folder "$dev_dir/logs"
  local log=$dev_dir/logs/apt.log
  local code=0
  case " $* " in
    *" postgresql-15 "*) without_system_cluster apt_install "$@" >"$log" 2>&1 || code=$? ;;
    *) apt_install "$@" >"$log" 2>&1 || code=$? ;;
  esac
  [ "$code" -ne 130 ] || exit 130
  if [ "$code" -ne 0 ]; then
    tail -n 15 "$log" >&2
    die "apt-get failed; its whole output is in $log" \
      "By hand: apt-get update && apt-get install ${apt_options[*]} $*"
  fi
}

# The two below see as_root and apt_options of install_packages.

apt_install() {
  # Another apt (a boot-time upgrade, say) may hold the lock for a while: wait, do not fail.
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install "${apt_options[@]}" "$@"
}

# without_system_cluster COMMAND...: a server package would make and start a cluster of its own; only our private one is
# wanted. The setting is there for the length of this command only, however that ends.
without_system_cluster() (
  drop_in=/etc/postgresql-common/createcluster.d/tokenrail-no-main-cluster.conf
  trap '"${as_root[@]}" rm -f "$drop_in"' EXIT
  trap 'exit 130' INT TERM
  "${as_root[@]}" mkdir -p "$(dirname "$drop_in")" &&
    echo 'create_main_cluster = false' | "${as_root[@]}" tee "$drop_in" >/dev/null &&
    "$@"
)

packages_command() {
  local set
  for set in "$@"; do
    [ -n "${package_sets[$set]+known}" ] || usage_error "unknown package set: $set" "./dev packages build lint test kafka postgres web web-test"
  done
  if [ $# -eq 0 ]; then set -- build lint test kafka postgres demo; fi
  need_packages "$@"
  say "Installed: $*"
}
