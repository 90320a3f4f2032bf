# The further engines, each in a jail: a tree of another Debian's packages, and namespaces of its own.
#
#   newer    trixie's dockerd, which takes the simulated GPU by CDI, and not by the hook
#   nvidia   the same dockerd, which takes it by nvidia's hook and has a runtime called nvidia, but knows no CDI
#   podman   bookworm's podman, serving docker's API
#
# The first engine knows no GPU at all. Each starts with nothing in it, and pulls from the lab's registry.

# The jails' trees: the name, the suite of Debian, and the packages.
JAIL_TREES='
docker trixie   docker.io iptables tini
podman bookworm podman runc netavark aardvark-dns iptables tini
'

# Changes when that tree must be made anew.
jail_tree_key() {
  { declare -f make_jail_tree fill_jail_tree && echo "$@"; } | sha256sum
}

make_jail_trees() {
  local name suite packages job jobs=()
  while read -r name suite packages; do
    [[ -n $name ]] || continue
    # shellcheck disable=SC2086 # Packages are words.
    make_jail_tree "$name" "$suite" $packages &
    jobs+=($!)
  done <<<"$JAIL_TREES"
  for job in "${jobs[@]}"; do
    wait "$job"
  done
}

make_jail_tree() {
  local name=$1 suite=$2 folder=$CACHE/jail-$1 key began=$SECONDS
  key=$(jail_tree_key "$@")
  shift 2
  [[ ! -e $folder.key || $(<"$folder.key") != "$key" ]] || return 0
  say "installing $* into a tree of Debian $suite"
  rm -rf "$folder" "$folder".{key,new}
  mkdir "$folder.new"
  tar --extract --numeric-owner --directory "$folder.new" --file "$CACHE/tree-$suite.tar"
  (fill_jail_tree "$folder.new" "$@") >"$folder.log" 2>&1 || fail "no tree for $name: $(tail -n 5 "$folder.log")"
  mv -T "$folder.new" "$folder"
  echo "$key" >"$folder.key"
  say "the tree for $name took $((SECONDS - began)) s"
}

# No package's service is started, and no mount outlives this.
fill_jail_tree() {
  local tree=$1
  shift
  printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
  chmod +x "$tree/usr/sbin/policy-rc.d"
  cp --dereference /etc/resolv.conf /etc/hosts "$tree/etc"
  # shellcheck disable=SC2016 # The shell inside puts them in.
  DEBIAN_FRONTEND=noninteractive unshare --mount --pid --fork --kill-child sh -eu -c '
    tree=$1
    shift
    mount -t proc proc "$tree/proc"
    chroot "$tree" apt-get -qq update
    chroot "$tree" apt-get -qq -o Dpkg::Use-Pty=0 install --no-install-recommends "$@"
    chroot "$tree" apt-get clean
  ' sh "$tree" "$@"
  rm -rf "$tree"/var/lib/apt/lists/*
}

# All at once; the log says how long each took.
start_jails() {
  local name job jobs=()
  for name in "${JAILS[@]}"; do
    "start_$name" &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do
    wait "$job"
  done
}

# GPUs in the form of the Container Device Interface: all that they bring is a variable.
start_newer() {
  install -d "$RUN/newer/cdi"
  cat >"$RUN/newer/cdi/nvidia.json" <<'JSON'
{
  "cdiVersion": "0.5.0",
  "kind": "nvidia.com/gpu",
  "devices": [
    { "name": "0", "containerEdits": { "env": ["SCAFFOLD_LAB_CDI=0"] } },
    { "name": "all", "containerEdits": { "env": ["SCAFFOLD_LAB_CDI=all"] } }
  ]
}
JSON
  start_jailed_docker newer '"features": { "cdi": true }, "cdi-spec-dirs": ["'"$RUN"'/newer/cdi"]'
}

# The engine gives a container GPUs where it finds nvidia's hook. This one reads what it is told, and brings none.
start_nvidia() {
  install -d "$RUN/nvidia/bin"
  cat >"$RUN/nvidia/bin/nvidia-container-runtime-hook" <<'HOOK'
#!/bin/sh
exec cat >/dev/null
HOOK
  chmod 755 "$RUN/nvidia/bin/nvidia-container-runtime-hook"
  start_jailed_docker nvidia '"runtimes": { "nvidia": { "path": "runc" } }'
}

# A dockerd with further settings. It finds hooks in its jail's folder of programs.
start_jailed_docker() {
  local name=$1 settings=$2 file=$RUN/$1/daemon.json
  install -d "$RUN/$name"
  cat >"$file" <<JSON
{
  "hosts": ["unix:///run/docker.sock"],
  "data-root": "/var/lib/docker",
  "exec-root": "/run/docker",
  "pidfile": "/run/docker.pid",
  $settings,
$(daemon_settings "$(jail_place "$name")" "/$NETNS/$name")
}
JSON
  start_jail "$name" docker env PATH="$RUN/$name/bin:/usr/sbin:/usr/bin:/sbin:/bin" dockerd --config-file "$file"
}

start_podman() {
  local folder=$RUN/podman
  install -d "$folder"
  write_podman_settings "$folder"
  start_jail podman podman env CONTAINERS_CONF="$folder/containers.conf" CONTAINERS_REGISTRIES_CONF="$folder/registries.conf" \
    podman system service --time=0 unix:///run/docker.sock
  # Podman keeps the socket for root.
  chown root:1001 "$(jail_socket podman)"
  chmod 660 "$(jail_socket podman)"
}

# Podman takes the length of its packets from the file of a network alone.
write_podman_settings() {
  local folder=$1 bridge
  bridge=$(bridge_network "$(jail_place podman)")
  install -d "$folder/networks"
  cat >"$folder/networks/podman.json" <<JSON
{
  "name": "podman",
  "id": "$(printf %064d 0)",
  "driver": "bridge",
  "network_interface": "podman0",
  "created": "2000-01-01T00:00:00Z",
  "subnets": [{ "subnet": "$bridge", "gateway": "${bridge%/*}" }],
  "ipam_options": { "driver": "host-local" },
  "options": { "mtu": "$(way_out_mtu)" }
}
JSON
  cat >"$folder/containers.conf" <<TOML
[containers]
default_ulimits = []
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
network_config_dir = "$folder/networks"
default_subnet_pools = [{ "base" = "$POOL_NETWORK", "size" = 24 }]
TOML
  cat >"$folder/registries.conf" <<TOML
unqualified-search-registries = ["docker.io"]
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "$REGISTRY"
insecure = true
[[registry]]
location = "$REGISTRY"
insecure = true
TOML
}

# Starts a program in a jail's tree and namespaces, and waits until it answers as an engine.
start_jail() {
  local name=$1 tree=$CACHE/jail-$2 jail=$RUN/$1 began=${EPOCHREALTIME/./}
  shift 2
  install -d "$jail"/{root,run,tmp,var/lib,var/tmp}
  chmod 1777 "$jail/tmp" "$jail/var/tmp"
  ln -s /run "$jail/var/run"
  start_process "$name" nsenter --net=/run/netns/"$NETNS-$name" unshare --mount --pid --fork --kill-child \
    "$(dirname "${BASH_SOURCE[0]}")/jail" "$tree" "$jail" "$LAB" "$@"
  wait_for 60 engine_answers "$(jail_socket "$name")" || fail "the engine $name does not start: $(tail -n 5 "$RUN/$name.log")"
  say "the engine $name took $(((${EPOCHREALTIME/./} - began) / 1000)) ms"
}

# Ends the first process of each jail, and with it all others. The process that made the namespaces waits for the last.
stop_jails() {
  local name pid first pids=()
  for name in "${JAILS[@]}"; do
    process_runs "$name" || continue
    pid=$(<"$RUN/$name.pid")
    pids+=("$pid")
    read -r first <"/proc/$pid/task/$pid/children" || true
    kill -KILL "${first:-$pid}" 2>/dev/null || true
  done
  for pid in "${pids[@]}"; do
    wait_for 20 process_is_gone "$pid" || kill -KILL "$pid"
  done
}

jail_socket() {
  echo "$RUN/$1/run/docker.sock"
}

jail_place() {
  local place
  for place in "${!NAMESPACES[@]}"; do
    [[ ${NAMESPACES[place]} != "$NETNS-$1" ]] || echo "$place"
  done
}

jails_stand() {
  local name
  for name in "${JAILS[@]}"; do
    process_runs "$name" && engine_answers "$(jail_socket "$name")" || return 1
  done
}

# Podman's control groups are not below the lab's own, but are called by its containers' ids. The folders that a person's
# podman would have too are removed only where they are empty, as a control group that holds something stays.
jail_cgroups() {
  local container
  for container in "$RUN"/podman/var/lib/containers/storage/overlay-containers/*/; do
    [[ ! -e $container ]] ||
      find /sys/fs/cgroup -depth -type d -path "*/libpod_parent/*$(basename "$container")*" 2>/dev/null || true
  done
  find /sys/fs/cgroup -depth -type d \( -path "*/libpod_parent/conmon" -o -path "*/libpod_parent" \) 2>/dev/null || true
}
