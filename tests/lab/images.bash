# The stand-ins for the base images: made of Debian's packages, and kept in the lab's registry.
#
# No image is pulled from the internet, so the suite runs the same behind a firewall. `docker pull python:3.13` finds
# the stand-in by the engine's registry mirror. A mirror serves Docker Hub's names only, so the others stay in the engine.

IMAGES=$(dirname "${BASH_SOURCE[0]}")/images

# Suite, the Python inside, and the names. Where the two versions differ, the image shows that it builds, not that it is 3.12.
PYTHONS='
bookworm 3.11 python-slim python:3.11-slim-trixie
bookworm 3.11 python      python:3.11
trixie   3.13 python-slim python:3.13-slim-trixie
trixie   3.13 python      python:3.13
trixie   3.12 python-slim python:3.12-slim-trixie
trixie   3.14 python-slim python:3.14-slim-trixie
'
DEVCONTAINERS='
bookworm 3.11 mcr.microsoft.com/devcontainers/python:3.11-trixie
trixie   3.13 mcr.microsoft.com/devcontainers/python:3.13-trixie
'

# The mirror that apt uses on this machine; trixie is on it as well, as every Debian mirror has both.
mirror() {
  local uri
  # shellcheck disable=SC2016 # apt's own variables.
  uri=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    sed -n 's|^bookworm main \(http://.*/debian\)/*$|\1|p' | head -n 1)
  echo "${uri:-http://deb.debian.org/debian}"
}

# Debian, minimal and slim, as a tar.
make_tree() {
  local suite=$1 folder=$CACHE/tree-$1
  [[ ! -e $folder.tar ]] || return 0
  say "bootstrapping Debian $suite"
  rm -rf "$folder"
  # Its own mount namespace: an interrupted bootstrap leaves no mounts.
  unshare --mount debootstrap --variant=minbase "$suite" "$folder" "$(mirror)" >"$folder.log" ||
    fail "debootstrap of $suite failed: $(tail -n 5 "$folder.log")"
  rm -rf "$folder"/{etc/resolv.conf,etc/hostname,var/cache/apt/*,var/lib/apt/lists/*,usr/share/{doc,man,locale,info}/*}
  # As in the official image: fast, and without documents.
  echo force-unsafe-io >"$folder/etc/dpkg/dpkg.cfg.d/docker-apt-speedup"
  printf 'path-exclude /usr/share/%s/*\n' doc man locale info >"$folder/etc/dpkg/dpkg.cfg.d/docker"
  tar --create --numeric-owner --directory "$folder" --file "$folder.tar.new" .
  mv "$folder.tar.new" "$folder.tar"
  rm -rf "$folder"
}

# Changes when the images must be made anew.
images_key() {
  { cat "$IMAGES"/* "${BASH_SOURCE[0]}" && rustc --version && rust_tags; } | sha256sum
}

images_are_made() {
  [[ -e $CACHE/images.key && $(<"$CACHE/images.key") == "$(images_key)" ]]
}

import_debian() {
  docker import --change 'CMD ["bash"]' --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' "$CACHE/tree-$1.tar" "debian:$1-slim" >/dev/null
}

make_trees() {
  local bookworm
  make_tree bookworm & bookworm=$!
  make_tree trixie
  wait "$bookworm"
}

make_images() {
  local rust
  say "making the base images"
  import_debian bookworm
  import_debian trixie
  install_buildx
  make_rust & rust=$!
  make_pythons
  make_devcontainers
  push debian:bookworm-slim debian:trixie-slim
  wait "$rust"
  images_key >"$CACHE/images.key"
}

make_pythons() {
  local suite python target name
  while read -r suite python target name; do
    [[ -n $suite ]] || continue
    build_python "$suite" "$python" "$target" --tag "$name"
    push "$name"
  done <<<"$PYTHONS"
}

build_python() {
  local suite=$1 python=$2 target=$3
  shift 3
  build --build-arg "SUITE=$suite" --build-arg "PYTHON=$python" --target "$target" \
    --file "$IMAGES/python.Dockerfile" "$@" "$IMAGES"
}

build() {
  local output
  output=$(docker buildx build --progress plain "$@" 2>&1) || fail "a base image cannot be built: $output"
}

# What the real image says of itself.
DEVCONTAINER_METADATA='[
  {"id":"ghcr.io/devcontainers/features/common-utils:2"},
  {"id":"ghcr.io/devcontainers/features/git:1"},
  {"customizations":{"vscode":{
    "extensions":["ms-python.python","ms-python.vscode-pylance"],
    "settings":{"python.defaultInterpreterPath":"/usr/local/bin/python"}}},
   "remoteUser":"vscode"}
]'

make_devcontainers() {
  local suite python name
  while read -r suite python name; do
    [[ -z $suite ]] || build_python "$suite" "$python" devcontainer --output "type=tar,dest=$CACHE/devcontainer-$python.tar"
  done <<<"$DEVCONTAINERS"
}

# Each image is one layer that no other shares: what the engine has already, a pull would not fetch.
import_devcontainers() {
  local suite python name
  while read -r suite python name; do
    [[ -z $suite ]] || docker import --change "LABEL devcontainer.metadata='${DEVCONTAINER_METADATA//$'\n'/}'" \
      --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin LANG=C.UTF-8' \
      --change 'CMD ["python3"]' "$CACHE/devcontainer-$python.tar" "$name" >/dev/null
  done <<<"$DEVCONTAINERS"
}

# The tag of this machine's toolchain, and the one that the project's own dev container asks for.
rust_tags() {
  {
    rustc --version | sed -n 's/^rustc \([0-9]*\.[0-9]*\)\..*/rust:\1-slim-trixie/p'
    grep -rhoE '\brust:[0-9.]+-slim-trixie' "$IMAGES/../../../.devcontainer" 2>/dev/null || true
  } | sort -u
}

make_rust() {
  local tags
  mapfile -t tags < <(rust_tags)
  rust_context | build --file rust.Dockerfile --build-arg "TOOLCHAIN=$(rust_toolchain)" "${tags[@]/#/--tag=}" -
  push "${tags[@]}"
}

rust_toolchain() {
  rustc -vV | sed -n 's/^release: //p; s/^host: //p' | sort | paste -sd -
}

# The toolchain without its documents and sources, with rustup where the machine has it, writable as in the real image.
rust_context() {
  local rustup
  rustup=$(command -v rustup || true)
  tar --create --mode a+w --exclude ./lib/rustlib/src --exclude ./bin/rust-analyzer \
    --transform 's,^\./rustup$,./bin/rustup,' --transform 's,^\./,toolchain/,' \
    --directory "$IMAGES" rust.Dockerfile --directory "$(rustc --print sysroot)" ./bin ./lib \
    ${rustup:+--directory "$(dirname "$rustup")" ./rustup}
}

push() {
  local name
  for name in "$@"; do
    docker tag "$name" "$REGISTRY/library/$name"
    docker push --quiet "$REGISTRY/library/$name" >/dev/null
  done
}
