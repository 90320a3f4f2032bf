# The engines' own network namespaces, and their ways out through pairs of virtual interfaces and NAT.
#
# A second engine in the machine's own namespace would rewrite the bridge and the iptables chains of a person's engine,
# and so would one in another engine's. The subnets are from 198.18.0.0/15, which is reserved for benchmarks and so is nobody's.
# shellcheck disable=SC2034 # The engines use them.

# A namespace's place in this list numbers its interfaces, its addresses and its engine's bridge.
NAMESPACES=("$NETNS" "${JAILS[@]/#/$NETNS-}")
OUTSIDE=sl$NUMBER-out
INSIDE=sl$NUMBER-in
LAB_NETWORK=198.18.$NUMBER.0/24
ENGINE_ADDRESS=198.18.$NUMBER.2
POOL_NETWORK=198.19.128.0/17

outside_address() {
  echo "198.18.$NUMBER.$((4 * $1 + 1))"
}

inside_address() {
  echo "198.18.$NUMBER.$((4 * $1 + 2))"
}

bridge_network() {
  echo "198.19.$NUMBER.$((64 * $1 + 1))/26"
}

# Which lab has the number, as two folders may have the same.
OWNER=/run/$NETNS.folder

require_own_number() {
  [[ ! -e $OWNER || $(<"$OWNER") == "$LAB" ]] ||
    fail "the lab in \`$(<"$OWNER")\` has the same number as one in \`$LAB\` would: end it, or set SCAFFOLD_LAB to another folder"
}

# Runs a command in the namespace of that name.
in_netns() {
  local namespace=$1
  shift
  nsenter --net=/run/netns/"$namespace" "$@"
}

network_rules() {
  cat <<RULES
nat POSTROUTING -s $LAB_NETWORK ! -o $OUTSIDE+ -j MASQUERADE
filter FORWARD -i $OUTSIDE+ -j ACCEPT
filter FORWARD -o $OUTSIDE+ -j ACCEPT
RULES
}

# The packets of a machine whose way out takes 1400 bytes must not be 1500 bytes long.
way_out_mtu() {
  local device
  device=$(ip -4 route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p;q')
  cat "/sys/class/net/$device/mtu" 2>/dev/null || echo 1500
}

start_network() {
  local table rule place
  printf %s "$LAB" >"$OWNER"
  for place in "${!NAMESPACES[@]}"; do
    add_namespace "$place"
  done
  start_forwarding
  while read -r table rule; do
    # shellcheck disable=SC2086 # A rule is words.
    iptables --wait -t "$table" -I $rule
  done < <(network_rules)
}

add_namespace() {
  local place=$1 namespace=${NAMESPACES[$1]} mtu
  mtu=$(way_out_mtu)
  ip netns add "$namespace"
  ip link add "$OUTSIDE$place" mtu "$mtu" type veth peer name "$INSIDE$place" mtu "$mtu" netns "$namespace"
  ip address add "$(outside_address "$place")/30" dev "$OUTSIDE$place"
  ip link set "$OUTSIDE$place" up
  ip -netns "$namespace" link set lo up
  ip -netns "$namespace" address add "$(inside_address "$place")/30" dev "$INSIDE$place"
  ip -netns "$namespace" link set "$INSIDE$place" up
  ip -netns "$namespace" route add default via "$(outside_address "$place")"
}

# Forwarding is the whole machine's, so this note is for every lab on it.
FORWARDING_WAS_OFF=/run/scaffold-lab-forwarding-was-off

start_forwarding() {
  [[ $(</proc/sys/net/ipv4/ip_forward) == 1 ]] && return
  echo 1 >/proc/sys/net/ipv4/ip_forward
  touch "$FORWARDING_WAS_OFF"
}

# Another lab may still need it: the last one turns it off again.
stop_forwarding() {
  [[ -e $FORWARDING_WAS_OFF ]] || return 0
  ! ip netns list | grep -q '^scaffold-lab-' || return 0
  echo 0 >/proc/sys/net/ipv4/ip_forward
  rm "$FORWARDING_WAS_OFF"
}

stop_network() {
  local table rule place
  command -v ip >/dev/null || return 0
  while read -r table rule; do
    # shellcheck disable=SC2086 # A rule is words.
    while iptables --wait -t "$table" -D $rule 2>/dev/null; do :; done
  done < <(network_rules)
  for place in "${!NAMESPACES[@]}"; do
    remove_namespace "$place"
  done
  forget_netns_folder
  stop_forwarding
  rm -f "$OWNER"
}

remove_namespace() {
  ip link delete "$OUTSIDE$1" 2>/dev/null || true
  [[ ! -e /run/netns/${NAMESPACES[$1]} ]] || ip netns delete "${NAMESPACES[$1]}"
}

# The first namespace makes `ip` mount this folder on itself.
forget_netns_folder() {
  [[ -n $(ls /run/netns 2>/dev/null) ]] || umount /run/netns 2>/dev/null || true
}
