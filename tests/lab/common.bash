# What every script of the test lab shares: its folders, its name on this machine, its messages and its locks.
# shellcheck disable=SC2034 # The scripts that source this use them.

LAB=$(realpath --canonicalize-missing "${SCAFFOLD_LAB:-/var/cache/scaffold-lab}")
CACHE=$LAB/cache
RUN=$LAB/run
BIN=$LAB/bin
USER_HOME=$LAB/home
USER_WORK=$LAB/work
USER_DOCKER=$LAB/docker
CA=$LAB/ca-certificates.crt
# Where the lab's user finds programs.
USER_PATH=$BIN:/usr/local/bin:/usr/bin:/bin

# Two labs in two folders share nothing: the folder's checksum numbers the network namespace, the subnets and the port.
NUMBER=$(($(printf %s "$LAB" | cksum | cut -d ' ' -f 1) % 100 + 1))
NETNS=scaffold-lab-$NUMBER
ENGINE_SOCKET=$RUN/docker.sock
# The further engines, each in a jail of its own.
JAILS=(newer nvidia podman)
REGISTRY=localhost:$((15000 + NUMBER))
PRIVATE_REGISTRY=localhost:$((15200 + NUMBER))

# The lab's user reads what root writes.
umask 022

export PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say() {
  printf '%(%T)T %s\n' -1 "$*"
}

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# A Unix socket's path may have 107 characters, and the longest one in the lab adds 40 to the folder's.
require_short_path() {
  ((${#LAB} <= 64)) || fail "the path of the lab's folder, \`$LAB\`, is longer than 64 characters"
}

# Waits for another `up` or `down` on the same folder; the lock ends with the process.
lock_lab() {
  exec 9>"$LAB/lock"
  flock 9
}

# Writes what the tests are to find in their environment, given as KEY=VALUE, so that a shell can read it back.
write_env() {
  local pair
  for pair in "$@"; do
    printf '%s=%q\n' "${pair%%=*}" "${pair#*=}"
  done >"$LAB/env.new"
  mv "$LAB/env.new" "$LAB/env"
}

# Whether a path is a folder or program that the lab's user can get at.
user_can_run() {
  setpriv --reuid 1001 --regid 1001 --clear-groups test -x "$1"
}

# Waits up to the given seconds for a command to succeed.
wait_for() {
  local seconds=$1
  shift
  for ((tries = seconds * 10; tries > 0; tries--)); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.1
  done
  return 1
}
