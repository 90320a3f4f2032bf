# How the first engine is reached from afar: by TLS with certificates of the lab's own, and by ssh.

TLS=$RUN/tls
SSH=$RUN/ssh
SSH_PORT=2222

# An authority, and what it vouches for: the server, and a client whose folder is laid out as DOCKER_CERT_PATH wants it.
make_certificates() {
  install -d "$TLS" "$TLS/client"
  cat >"$TLS/openssl.cnf" <<CNF
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[server]
subjectAltName = IP:$ENGINE_ADDRESS
extendedKeyUsage = serverAuth
[client]
subjectAltName = DNS:$(user_name)
extendedKeyUsage = clientAuth
CNF
  make_certificate authority "$TLS/ca-key.pem" "$TLS/ca.pem"
  make_certificate server "$TLS/server-key.pem" "$TLS/server.pem" -CA "$TLS/ca.pem" -CAkey "$TLS/ca-key.pem"
  make_certificate client "$TLS/client/key.pem" "$TLS/client/cert.pem" -CA "$TLS/ca.pem" -CAkey "$TLS/ca-key.pem"
  cp "$TLS/ca.pem" "$TLS/client/ca.pem"
  chown 1001:1001 "$TLS/client/key.pem"
}

make_certificate() {
  local kind=$1 key=$2 certificate=$3
  shift 3
  openssl req -x509 -config "$TLS/openssl.cnf" -extensions "$kind" -subj "/CN=$NETNS $kind" -days 365 \
    -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$key" -out "$certificate" "$@" 2>"$TLS/openssl.log" ||
    fail "openssl makes no certificate: $(<"$TLS/openssl.log")"
}

# The lab's user runs the ssh server: it can log in none but that user, asks no PAM, and needs no folder outside the lab.
# In the engine's network namespace it ends, with every login, as all else there does.
start_sshd() {
  install -d "$SSH"
  make_ssh_key "$SSH/host-key"
  write_user_ssh
  cat >"$SSH/config" <<CONFIG
ListenAddress $ENGINE_ADDRESS:$SSH_PORT
HostKey "$SSH/host-key"
AuthorizedKeysFile "$SSH/authorized_keys"
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
SetEnv "HOME=$USER_HOME" "PATH=$USER_PATH" "DOCKER_HOST=unix://$ENGINE_SOCKET" "DOCKER_CONFIG=$USER_DOCKER"
CONFIG
  start_process sshd nsenter --net=/run/netns/"$NETNS" setpriv --reuid 1001 --regid 1001 --init-groups \
    "$(command -v sshd)" -D -e -f "$SSH/config"
  wait_for 20 ssh_answers || fail "no login by ssh: $(tail -n 5 "$RUN/sshd.log")"
}

ssh_answers() {
  setpriv --reuid 1001 --regid 1001 --init-groups env HOME="$USER_HOME" "$BIN/ssh" -n "$(ssh_address)" true
}

ssh_address() {
  echo "ssh://$(user_name)@$ENGINE_ADDRESS:$SSH_PORT"
}

make_ssh_key() {
  ssh-keygen -q -t ed25519 -N '' -C "$NETNS" -f "$1"
  chown 1001:1001 "$1"
}

# The address works as it is, and `scaffold-lab` is another name for it, as people have them in their configuration.
write_user_ssh() {
  local folder=$USER_HOME/.ssh
  install -d -m 700 "$folder"
  make_ssh_key "$folder/id_ed25519"
  cp "$folder/id_ed25519.pub" "$SSH/authorized_keys"
  echo "[$ENGINE_ADDRESS]:$SSH_PORT $(<"$SSH/host-key.pub")" >"$folder/known_hosts"
  cat >"$folder/config" <<CONFIG
Host scaffold-lab
  HostName $ENGINE_ADDRESS
  Port $SSH_PORT
  User $(user_name)
Host *
  IdentityFile "$folder/id_ed25519"
  UserKnownHostsFile "$folder/known_hosts"
  BatchMode yes
CONFIG
  chown -R 1001:1001 "$folder"
}
