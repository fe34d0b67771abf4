# The program in an image with glibc, CA certificates and nothing else of its own.
#
#   docker build -t baseline .
#   docker run --rm -v "$PWD/desired-state:/desired-state:ro" -e AWS_REGION baseline plan
#
# Credentials come from where the container runs (ECS task role, EKS pod identity, environment), never from here.
# For an apply that keeps its records in a folder, mount that folder too.

FROM rust:1.95-slim-bookworm AS build
# aws-lc-sys compiles C.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cmake gcc g++ make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --locked --release --bin baseline \
    && install -D target/release/baseline /out/baseline

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/baseline /usr/local/bin/baseline
# A number, so that Kubernetes' runAsNonRoot can tell.
USER 65532:65532
WORKDIR /
ENTRYPOINT ["/usr/local/bin/baseline"]
