#!/bin/sh
# Makes the project's Python environment in an image that was not built for it. Safe to run again at any time: what is
# there stays, and what is missing is added.
set -eu

version={{python}}
environment=/opt/{{environment}}

cd "$(dirname "$0")/.."

# The image's own programs: an environment from an earlier run must not be found as the Python to make it from.
PATH=$(printf '%s' ":$PATH:" | sed "s|:$environment/bin:|:|g; s|^:||; s|:\$||")

# Says what is wrong, and below it what to do, one argument a line.
fail() {
    printf 'install.sh: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '    %s\n' "$@" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

# Prints the minor version of a Python, such as 3.13, or nothing if it does not run.
version_of() {
    "$1" -c 'import sys; print("{}.{}".format(*sys.version_info))' 2>/dev/null || true
}

# Prints the image's Python: one of the locked version, else any.
find_python() {
    any=
    for name in "python$version" python3 python; do
        found=$(command -v "$name") || continue
        if [ "$(version_of "$found")" = "$version" ]; then
            any=$found
            break
        fi
        any=${any:-$found}
    done
    printf '%s\n' "$any"
}

make_environment() {
    python=$(find_python)
    [ -n "$python" ] || fail "this image has no Python, and the project needs Python $version" \
        "Name an image that has it in .devcontainer/devcontainer.json, such as" \
        "python:$version-slim-trixie, and rebuild the container."
    found=$(version_of "$python")
    [ -n "$found" ] || fail "the Python of this image, $python, does not run"
    [ "$found" = "$version" ] || fail "this image has Python $found, and requirements.txt is locked for Python $version" \
        "Name an image with Python $version in .devcontainer/devcontainer.json and rebuild the container, or lock" \
        "the requirements for Python $found, as README.md says, and set version in this script."
    "$python" -c 'import ensurepip, venv' 2>/dev/null || fail "the Python of this image cannot make environments" \
        "On Debian and Ubuntu the package python3-venv is missing."

    mkdir -p "$environment" 2>/dev/null || true
    if [ ! -w "$environment" ]; then
        as_root install -d -o "$(id -u)" -g "$(id -g)" "$environment" || fail \
            "$(id -un) may not make $environment, and there is no sudo without a password" \
            "Set \"remoteUser\": \"root\" in .devcontainer/devcontainer.json, or name an image whose user may use sudo."
    fi
    "$python" -m venv --clear "$environment"
}
{{#if caBundle}}

# Makes the system trust the CA certificates of the host. Git ignores them, so a clone may have none.
trust_ca_bundle() {
    bundle=.devcontainer/ca-bundle.crt
    added=/usr/local/share/ca-certificates/ca-bundle.crt
    system=/etc/ssl/certs/ca-certificates.crt
    if [ -f "$bundle" ] && ! cmp -s "$bundle" "$added"; then
        if ! as_root mkdir -p "${added%/*}" "${system%/*}" || ! as_root cp "$bundle" "$added"; then
            fail "$(id -un) may not add CA certificates, and there is no sudo without a password" \
                "Set \"remoteUser\": \"root\" in .devcontainer/devcontainer.json."
        fi
        if command -v update-ca-certificates >/dev/null; then
            as_root update-ca-certificates
        else
            as_root cp "$bundle" "$system"
        fi
    fi
    [ -f "$system" ] || fail "this image has no CA certificates in $system" \
        "Copy the host's to $bundle, or name an image with the package ca-certificates."
}

trust_ca_bundle
{{/if}}

# pip comes last when an environment is made, so that one without it was cut short.
if [ "$(version_of "$environment/bin/python")" != "$version" ] || ! "$environment/bin/python" -m pip --version >/dev/null 2>&1; then
    make_environment
fi

"$environment/bin/python" -m pip install --disable-pip-version-check --require-hashes --requirement .devcontainer/uv.txt
export VIRTUAL_ENV="$environment"
"$environment/bin/uv" pip install --require-hashes --requirement requirements.txt
"$environment/bin/uv" pip install --no-deps --no-build-isolation --editable .
