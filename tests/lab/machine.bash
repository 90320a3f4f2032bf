# Makes the machine ready for the lab: the Debian packages it needs, and an ordinary user.

# One line a program: the program, and the package that has it.
PROGRAMS='
dockerd docker.io
docker docker-cli
iptables iptables
debootstrap debootstrap
docker-registry docker-registry
ip iproute2
git git
curl curl
setpriv util-linux
strace strace
openssl openssl
ssh openssh-client
sshd openssh-server
'

missing_packages() {
  local program package
  while read -r program package; do
    [[ -z $program ]] || command -v "$program" >/dev/null || echo "$package"
  done <<<"$PROGRAMS"
  [[ -e /etc/ssl/certs/ca-certificates.crt ]] || echo ca-certificates
  [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || echo debian-archive-keyring
}

# Until Debian 12 the client is part of docker.io, and there is no package of that name.
known_packages() {
  local package
  for package in "$@"; do
    [[ $package == docker-cli ]] && ! apt-cache show docker-cli >/dev/null 2>&1 || echo "$package"
  done
}

# Packages are never removed for the lab's sake, and no service is started: the lab starts its own processes.
install_packages() {
  local packages services
  (($# > 0)) || return 0
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  mapfile -t packages < <(known_packages "$@")
  say "installing ${packages[*]}"
  mapfile -t services < <(new_services)
  forbid_services
  # Its own session: an interrupted lab must not leave dpkg half way.
  setsid --wait apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --no-install-recommends --no-remove \
    "${packages[@]}" >/dev/null
  allow_services
  systemctl disable "${services[@]}" >/dev/null 2>&1 || true
}

# What is to stay off after the next start of the machine: services that it did not have before.
new_services() {
  local service
  for service in docker.socket docker.service containerd.service docker-registry.service ssh.socket ssh.service; do
    [[ -e /lib/systemd/system/$service ]] || echo "$service"
  done
}

POLICY=/usr/sbin/policy-rc.d

forbid_services() {
  trap allow_services EXIT
  [[ ! -e $POLICY ]] || mv "$POLICY" "$POLICY.before-scaffold-lab"
  printf '#!/bin/sh\nexit 101\n' >"$POLICY"
  chmod +x "$POLICY"
}

allow_services() {
  trap - EXIT
  rm -f "$POLICY"
  [[ ! -e $POLICY.before-scaffold-lab ]] || mv "$POLICY.before-scaffold-lab" "$POLICY"
}

# An ordinary user with empty folders. As on many desks its id is not the 1000 of the user in a container.
make_user() {
  getent group 1001 >/dev/null || groupadd --gid 1001 scaffold-lab
  getent passwd 1001 >/dev/null ||
    useradd --uid 1001 --gid 1001 --home-dir "$USER_HOME" --no-create-home --shell /bin/bash scaffold-lab 2>/dev/null
  rm -rf "$USER_HOME" "$USER_WORK" "$USER_DOCKER"
  install -d -o 1001 -g 1001 "$USER_HOME" "$USER_WORK" "$USER_DOCKER"
}

user_name() {
  getent passwd 1001 | cut -d : -f 1
}
