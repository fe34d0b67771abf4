# syntax=docker/dockerfile:1
# The program in an image that holds nothing else: no shell, no package manager, nobody but an unprivileged user, and a
# root file system that can be mounted read-only.
#
#   docker build -t baseline .
#   docker run --rm --read-only --tmpfs /tmp -v "$PWD/desired-state:/desired-state:ro" -e AWS_REGION \
#     baseline plan -f /desired-state
#
# Credentials come from where the container runs (ECS task role, EKS Pod Identity, environment), never from here. What is
# fetched goes to /tmp; records go to a bucket (`audit: s3://…`), or to a folder that is mounted.
#
# `--target with-git` is the same with git, for `run --source git+https://…`, which has git fetch.
#
# Images are named by tag. For builds that can be repeated, put the digests behind them (`name:tag@sha256:…`):
# `docker buildx imagetools inspect NAME` says them.

FROM rust:1.95-slim-bookworm AS build
# aws-lc-sys compiles C.
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt,sharing=locked \
    apt-get update && apt-get install --yes --no-install-recommends cmake gcc g++ make
WORKDIR /src
COPY . .
# Without the organisation in memory: an image for real accounts plays no demo. With traces, which nobody sends who names no
# collector.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release --no-default-features --features otlp --bin baseline \
    && install -D target/release/baseline /out/baseline

# With git, which the source of a repository needs.
FROM debian:bookworm-slim AS with-git
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt,sharing=locked \
    apt-get update && apt-get install --yes --no-install-recommends ca-certificates git openssh-client tzdata
COPY --from=build /out/baseline /usr/local/bin/baseline
ENV HOME=/tmp
USER 65532:65532
WORKDIR /
VOLUME /tmp
ENTRYPOINT ["/usr/local/bin/baseline"]

# glibc, libgcc, CA certificates, time zones, /etc/passwd: https://github.com/GoogleContainerTools/distroless.
# The glibc is that of the build image, both are Debian 12.
FROM gcr.io/distroless/cc-debian12:nonroot AS minimal
COPY --from=build /out/baseline /usr/local/bin/baseline
# A number, so that Kubernetes' runAsNonRoot can tell.
USER 65532:65532
WORKDIR /
# The one folder that is written to; named, so that ECS makes it one that everybody can write to.
VOLUME /tmp
ENTRYPOINT ["/usr/local/bin/baseline"]
