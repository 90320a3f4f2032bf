# The lab's processes: containerd, dockerd, and a registry seen from both network namespaces.

DATA=$RUN/engine

start_lab() {
  install -d "$RUN"
  start_network
  start_registry
  start_engine
}

# Ends what `up` started, and what is left of a lab that was killed.
stop_lab() {
  local mounts
  stop_process dockerd
  kill_containers
  stop_process containerd
  stop_process registry-inside
  stop_process registry
  kill_in_netns
  unmount_all
  remove_cgroups
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
}

# Whether a process is the lab's: its id alone proves nothing after a crash, as ids are used again.
is_ours() {
  [[ -r /proc/$1/cmdline ]] && tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF " $RUN/"
}

process_runs() {
  [[ -e $RUN/$1.pid ]] && is_ours "$(<"$RUN/$1.pid")"
}

lab_stands() {
  process_runs registry && process_runs registry-inside && process_runs containerd && process_runs dockerd &&
    engine_answers && [[ -e $RUN/ready ]]
}

engine_answers() {
  [[ $(curl -sf --max-time 5 --unix-socket "$ENGINE_SOCKET" http://docker/_ping) == OK ]]
}

registry_answers() {
  curl -sf --max-time 5 --noproxy '*' "http://$REGISTRY/v2/" && in_netns curl -sf --max-time 5 --noproxy '*' "http://$REGISTRY/v2/"
}

# Two processes over one folder: a port of one namespace is not seen in the other. Neither caches, so neither is stale.
start_registry() {
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
  start_process registry-inside nsenter --net=/run/netns/"$NETNS" docker-registry serve "$RUN/registry.yml"
  wait_for 20 registry_answers || fail "the registry does not answer: $(tail -n 5 "$RUN"/registry*.log)"
}

# The engine starts with nothing in it, so that each run really pulls and builds.
# A person's /etc/docker/daemon.json is not read, and the machine's containerd is not used.
start_engine() {
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
  "hosts": ["unix://$ENGINE_SOCKET"],
  "group": "1001",
  "data-root": "$DATA",
  "exec-root": "$RUN/exec",
  "pidfile": "$RUN/dockerd-own.pid",
  "containerd": "$RUN/containerd.sock",
  "exec-opts": ["native.cgroupdriver=cgroupfs"],
  "cgroup-parent": "/$NETNS",
  "registry-mirrors": ["http://$REGISTRY"],
  "bip": "$BRIDGE_NETWORK",
  "default-address-pools": [{ "base": "$POOL_NETWORK", "size": 24 }],
  "mtu": $(way_out_mtu)
}
JSON
  start_process containerd nsenter --net=/run/netns/"$NETNS" containerd --config "$RUN/containerd.toml"
  wait_for 30 test -S "$RUN/containerd.sock" || fail "containerd does not start: $(tail -n 5 "$RUN/containerd.log")"
  start_process dockerd nsenter --net=/run/netns/"$NETNS" dockerd --config-file "$RUN/daemon.json"
  wait_for 60 engine_answers || fail "the engine does not start: $(tail -n 5 "$RUN/dockerd.log")"
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
  local pid
  while read -r pid; do
    kill -KILL "$pid" 2>/dev/null || true
  done < <(find /sys/fs/cgroup -path "*/$NETNS/*" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u)
}

# What else runs in the lab's network namespace: containerd's shims and docker's proxies.
kill_in_netns() {
  local pid
  [[ -e /run/netns/$NETNS ]] || return 0
  while read -r pid; do
    kill -KILL "$pid" 2>/dev/null || true
  done < <(ip netns pids "$NETNS" 2>/dev/null)
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

remove_cgroups() {
  find /sys/fs/cgroup -depth -type d \( -path "*/$NETNS/*" -o -path "*/$NETNS" \) -exec rmdir {} + 2>/dev/null || true
}
