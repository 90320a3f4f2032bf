# Stand-ins for `python` and `mcr.microsoft.com/devcontainers/python`: Debian's Python where the real images have theirs.
ARG SUITE
FROM debian:${SUITE}-slim AS python-slim
ARG SUITE
RUN --mount=type=cache,id=apt-${SUITE},target=/var/cache/apt --mount=type=cache,id=lists-${SUITE},target=/var/lib/apt/lists \
    rm -f /etc/apt/apt.conf.d/docker-clean \
    && apt-get -qq update \
    && apt-get -qq install --no-install-recommends ca-certificates netbase tzdata python3 python3-pip python3-venv \
    && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED
ARG PYTHON
RUN for name in python python3 "python${PYTHON}"; do ln -s "$(readlink -f /usr/bin/python3)" "/usr/local/bin/$name"; done \
    && for name in pip pip3 "pip${PYTHON}"; do ln -s /usr/bin/pip3 "/usr/local/bin/$name"; done
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
LABEL scaffold.lab="stand-in for Python ${PYTHON}, holds the Python of Debian ${SUITE}"
CMD ["python3"]

FROM python-slim AS python
ARG SUITE
RUN --mount=type=cache,id=apt-${SUITE},target=/var/cache/apt --mount=type=cache,id=lists-${SUITE},target=/var/lib/apt/lists \
    apt-get -qq update && apt-get -qq install --no-install-recommends git

FROM python AS devcontainer
ARG SUITE
RUN --mount=type=cache,id=apt-${SUITE},target=/var/cache/apt --mount=type=cache,id=lists-${SUITE},target=/var/lib/apt/lists \
    apt-get -qq update && apt-get -qq install --no-install-recommends curl procps sudo \
    && useradd --uid 1000 --user-group --create-home --shell /bin/bash vscode \
    && echo 'vscode ALL=(root) NOPASSWD:ALL' >/etc/sudoers.d/vscode \
    && chmod 0440 /etc/sudoers.d/vscode
