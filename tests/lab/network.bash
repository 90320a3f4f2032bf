# The engine's own network namespace, and its way out through a pair of virtual interfaces and NAT.
#
# A second engine in the machine's own namespace would rewrite the bridge and the iptables chains of a person's engine.
# The subnets are from 198.18.0.0/15, which is reserved for benchmarks and so is nobody's.
# shellcheck disable=SC2034 # The engine uses them.

OUTSIDE=sl$NUMBER-out
INSIDE=sl$NUMBER-in
OUTSIDE_ADDRESS=198.18.$NUMBER.1
ENGINE_ADDRESS=198.18.$NUMBER.2
BRIDGE_NETWORK=198.19.$NUMBER.1/24
POOL_NETWORK=198.19.128.0/17

# Which lab has the number, as two folders may have the same.
OWNER=/run/$NETNS.folder

require_own_number() {
  [[ ! -e $OWNER || $(<"$OWNER") == "$LAB" ]] ||
    fail "the lab in \`$(<"$OWNER")\` has the same number as one in \`$LAB\` would: end it, or set SCAFFOLD_LAB to another folder"
}

in_netns() {
  nsenter --net=/run/netns/"$NETNS" "$@"
}

network_rules() {
  cat <<RULES
nat POSTROUTING -s $ENGINE_ADDRESS/32 ! -o $OUTSIDE -j MASQUERADE
filter FORWARD -i $OUTSIDE -j ACCEPT
filter FORWARD -o $OUTSIDE -j ACCEPT
RULES
}

# The packets of a machine whose way out takes 1400 bytes must not be 1500 bytes long.
way_out_mtu() {
  local device
  device=$(ip -4 route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p;q')
  cat "/sys/class/net/$device/mtu" 2>/dev/null || echo 1500
}

start_network() {
  local table rule mtu
  mtu=$(way_out_mtu)
  printf %s "$LAB" >"$OWNER"
  ip netns add "$NETNS"
  ip link add "$OUTSIDE" mtu "$mtu" type veth peer name "$INSIDE" mtu "$mtu" netns "$NETNS"
  ip address add "$OUTSIDE_ADDRESS/30" dev "$OUTSIDE"
  ip link set "$OUTSIDE" up
  in_netns ip link set lo up
  in_netns ip address add "$ENGINE_ADDRESS/30" dev "$INSIDE"
  in_netns ip link set "$INSIDE" up
  in_netns ip route add default via "$OUTSIDE_ADDRESS"
  start_forwarding
  while read -r table rule; do
    # shellcheck disable=SC2086 # A rule is words.
    iptables --wait -t "$table" -I $rule
  done < <(network_rules)
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
  local table rule
  command -v ip >/dev/null || return 0
  while read -r table rule; do
    # shellcheck disable=SC2086 # A rule is words.
    while iptables --wait -t "$table" -D $rule 2>/dev/null; do :; done
  done < <(network_rules)
  ip link delete "$OUTSIDE" 2>/dev/null || true
  [[ ! -e /run/netns/$NETNS ]] || ip netns delete "$NETNS"
  forget_netns_folder
  stop_forwarding
  rm -f "$OWNER"
}

# The first namespace makes `ip` mount this folder on itself.
forget_netns_folder() {
  [[ -n $(ls /run/netns 2>/dev/null) ]] || umount /run/netns 2>/dev/null || true
}
