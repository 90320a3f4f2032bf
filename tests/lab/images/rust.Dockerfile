# A stand-in for `rust:…-slim-trixie`: this machine's own toolchain where the real image has its own.
FROM debian:trixie-slim
ENV RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
RUN --mount=type=cache,id=apt-trixie,target=/var/cache/apt --mount=type=cache,id=lists-trixie,target=/var/lib/apt/lists \
    apt-get -qq update && apt-get -qq install --no-install-recommends ca-certificates gcc libc6-dev
ARG TOOLCHAIN
COPY toolchain /usr/local/rustup/toolchains/${TOOLCHAIN}
RUN mkdir -p /usr/local/cargo/bin && cd "/usr/local/rustup/toolchains/${TOOLCHAIN}/bin" \
    && if [ -e rustup ]; then \
        mv rustup /usr/local/cargo/bin/ && for name in *; do ln -s rustup "/usr/local/cargo/bin/$name"; done \
        && rustup default "${TOOLCHAIN}"; \
    else ln -s "$PWD"/* /usr/local/cargo/bin/; fi \
    && chmod -R a+w /usr/local/cargo && chmod a+w /usr/local/rustup /usr/local/rustup/*
LABEL scaffold.lab="stand-in made of the toolchain that runs the tests"
