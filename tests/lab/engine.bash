# The lab's processes: containerd, dockerd, and a registry seen from every network namespace.

DATA=$RUN/engine
TLS_PORT=2376

start_lab() {
  install -d "$RUN"
  start_network
  start_registries
  start_engine
}

# Ends what `up` started, and what is left of a lab that was killed.
stop_lab() {
  local mounts
  stop_jails
  stop_process dockerd
  kill_containers
  stop_process containerd
  stop_process registry
  stop_process private-registry
  kill_in_netns "${NAMESPACES[@]}"
  wait_for 20 nothing_runs || fail "some of the lab's processes do not end: $(lab_processes | paste -sd ' ')"
  unmount_all
  wait_for 20 remove_cgroups || fail "control groups stay: $(lab_cgroups | paste -sd ' ')"
  stop_network
  # What is still mounted may be a person's own folder.
  mounts=$(mounts_below_lab)
  [[ -z $mounts ]] || fail "still mounted: $mounts"
  rm -rf "$RUN" "$LAB/env"
}

# Starts a process that outlives this script, and notes its id. It holds none of this script's locks.
start_process() {
  local name=$1
  shift
  setsid "$@" </dev/null >"$RUN/$name.log" 2>&1 8>&- 9>&- &
  echo $! >"$RUN/$name.pid"
  disown
}

# Whether a process is the lab's: its id alone proves nothing after a crash, as ids are used again.
is_ours() {
  [[ -r /proc/$1/cmdline ]] && tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF " $RUN/"
}

process_runs() {
  [[ -e $RUN/$1.pid ]] && is_ours "$(<"$RUN/$1.pid")"
}

lab_stands() {
  [[ -e $RUN/ready ]] && process_runs registry && process_runs containerd && process_runs dockerd &&
    engine_answers "$ENGINE_SOCKET" && registries_answer && process_runs sshd && jails_stand
}

engine_answers() {
  [[ $(curl -sf --max-time 5 --unix-socket "$1" http://docker/_ping) == OK ]]
}

# One process a namespace, over one folder: a port of one is not seen in another. None caches, so none is stale.
start_registries() {
  local namespace
  mkdir -p "$CACHE/registry"
  cat >"$RUN/registry.yml" <<YML
version: 0.1
log: { level: warn }
storage:
  filesystem: { rootdirectory: $CACHE/registry }
  delete: { enabled: true }
http: { addr: "127.0.0.1:${REGISTRY#*:}" }
YML
  start_process registry docker-registry serve "$RUN/registry.yml"
  for namespace in "${NAMESPACES[@]}"; do
    start_process "registry-$namespace" nsenter --net=/run/netns/"$namespace" docker-registry serve "$RUN/registry.yml"
  done
  start_private_registry
  wait_for 20 registries_answer || fail "a registry does not answer: $(tail -n 5 "$RUN"/*registry*.log)"
}

# One that wants a login, which is made anew each time; seen by the programs of the tests and by the first engine.
start_private_registry() {
  local password salt
  password=$(new_word 16)
  salt=$(new_word 21)u
  echo "somebody:$password" >"$RUN/private-login"
  # shellcheck disable=SC2016 # Perl's own variables, and the name of the hash that the registry takes.
  perl -e 'print "somebody:", crypt($ARGV[0], "\$2b\$05\$$ARGV[1]"), "\n"' "$password" "$salt" >"$RUN/private-users"
  cat >"$RUN/private-registry.yml" <<YML
version: 0.1
log: { level: warn }
storage:
  filesystem: { rootdirectory: $RUN/private-images }
auth:
  htpasswd: { realm: lab, path: $RUN/private-users }
http: { addr: "127.0.0.1:${PRIVATE_REGISTRY#*:}" }
YML
  start_process private-registry docker-registry serve "$RUN/private-registry.yml"
  start_process "private-registry-$NETNS" nsenter --net=/run/netns/"$NETNS" docker-registry serve "$RUN/private-registry.yml"
}

# So many letters and digits that nobody can guess.
new_word() {
  openssl rand -hex "$1" | head -c "$1"
}

registries_answer() {
  local namespace
  registry_answers && private_registry_answers && private_registry_answers in_netns "$NETNS" || return 1
  for namespace in "${NAMESPACES[@]}"; do
    registry_answers in_netns "$namespace" || return 1
  done
}

# Whether the registry answers where the given command runs a program.
registry_answers() {
  "$@" curl -sf --max-time 5 --noproxy '*' --output /dev/null "http://$REGISTRY/v2/"
}

private_registry_answers() {
  "$@" curl -sf --max-time 5 --noproxy '*' --output /dev/null --user "$(<"$RUN/private-login")" "http://$PRIVATE_REGISTRY/v2/"
}

# What every dockerd of the lab is told, given its place among the namespaces and its control group.
daemon_settings() {
  cat <<JSON
  "group": "1001",
  "exec-opts": ["native.cgroupdriver=cgroupfs"],
  "cgroup-parent": "$2",
  "registry-mirrors": ["http://$REGISTRY"],
  "bip": "$(bridge_network "$1")",
  "default-address-pools": [{ "base": "$POOL_NETWORK", "size": 24 }],
  "mtu": $(way_out_mtu)
JSON
}

# The engine starts with nothing in it, so that each run really pulls and builds.
# A person's /etc/docker/daemon.json is not read, and the machine's containerd is not used.
start_engine() {
  make_certificates
  cat >"$RUN/containerd.toml" <<TOML
version = 2
root = "$RUN/containerd-root"
state = "$RUN/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "$RUN/containerd.sock"
TOML
  cat >"$RUN/daemon.json" <<JSON
{
  "hosts": ["unix://$ENGINE_SOCKET", "tcp://$ENGINE_ADDRESS:$TLS_PORT"],
  "tlsverify": true,
  "tlscacert": "$TLS/ca.pem",
  "tlscert": "$TLS/server.pem",
  "tlskey": "$TLS/server-key.pem",
  "data-root": "$DATA",
  "exec-root": "$RUN/exec",
  "pidfile": "$RUN/dockerd-own.pid",
  "containerd": "$RUN/containerd.sock",
$(daemon_settings 0 "/$NETNS")
}
JSON
  start_process containerd nsenter --net=/run/netns/"$NETNS" containerd --config "$RUN/containerd.toml"
  wait_for 30 test -S "$RUN/containerd.sock" || fail "containerd does not start: $(tail -n 5 "$RUN/containerd.log")"
  start_process dockerd nsenter --net=/run/netns/"$NETNS" dockerd --config-file "$RUN/daemon.json"
  wait_for 60 engine_answers "$ENGINE_SOCKET" || fail "the engine does not start: $(tail -n 5 "$RUN/dockerd.log")"
}

stop_process() {
  local pid
  process_runs "$1" || return 0
  pid=$(<"$RUN/$1.pid")
  kill "$pid"
  wait_for 20 process_is_gone "$pid" || kill -KILL "$pid"
}

process_is_gone() {
  ! is_ours "$1"
}

# An engine that was killed leaves its containers running; all of them are below the lab's own control group.
kill_containers() {
  cgroup_processes | kill_all
}

# What else runs in network namespaces of the lab: containerd's shims and docker's proxies, registries, and logins.
kill_in_netns() {
  netns_processes "$@" | kill_all
}

kill_all() {
  local pid
  while read -r pid; do
    kill -KILL "$pid" 2>/dev/null || true
  done
}

cgroup_processes() {
  find /sys/fs/cgroup -path "*/$NETNS/*" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u
}

netns_processes() {
  local namespace
  for namespace in "$@"; do
    [[ ! -e /run/netns/$namespace ]] || ip netns pids "$namespace" 2>/dev/null || true
  done
}

lab_processes() {
  { cgroup_processes || true; netns_processes "${NAMESPACES[@]}"; }
}

nothing_runs() {
  [[ -z $(lab_processes) ]]
}

mounts_below_lab() {
  awk -v lab="$LAB/" 'index($5, lab) == 1 { print $5 }' /proc/self/mountinfo | sort --reverse
}

unmount_all() {
  local mount
  while read -r mount; do
    umount --lazy "$mount"
  done < <(mounts_below_lab)
}

# Succeeds when all are gone: the kernel lets one go a moment after its last process.
remove_cgroups() {
  local group left=0
  while read -r group; do
    rmdir "$group" 2>/dev/null || cgroup_is_used "$group" || left=1
  done < <(lab_cgroups)
  ((left == 0))
}

lab_cgroups() {
  jail_cgroups
  find /sys/fs/cgroup -depth -type d \( -path "*/$NETNS/*" -o -path "*/$NETNS" \) 2>/dev/null || true
}

# Whether a person's own podman has something in it: the lab's processes have ended.
cgroup_is_used() {
  [[ $1 == *libpod_parent* && -n $(cat "$1/cgroup.procs" && find "$1" -mindepth 1 -type d) ]]
}
