# `just` lists the recipes. `just check` before a push: it is what CI runs, without the emulators.

set shell := ["bash", "-euo", "pipefail", "-c"]

_list:
    @just --list --unsorted

# Format, lint, test, and see that generated files are up to date
[group('check')]
check: fmt
    .ci/run lint test build generated examples

# Everything that CI runs, emulators too
[group('check')]
ci:
    .ci/run

# The tests that need nothing but cargo; a filter may follow
[group('check')]
test *filter:
    cargo test --locked {{ filter }}

# moto over the wire, and every exchange against the services' API models (needs python3)
[group('check')]
emulators:
    .ci/run test build validator exchanges gaps moto page

# Licences, sources and doubled crates (needs cargo-deny)
[group('check')]
deny:
    cargo deny check

# Write what is made from the code: docs/, JSON schemas, IAM policies
[group('write')]
gen:
    cargo run --locked --quiet -- generate docs

# Take today's output of the tests as their snapshots; read the diff before committing it
[group('write')]
snapshots *filter:
    INSTA_UPDATE=always cargo test --locked {{ filter }}

# Format the code
[group('write')]
fmt:
    cargo fmt

# The whole story on an organisation in memory
[group('run')]
demo:
    cargo run --locked --quiet -- demo

# The table of docs/performance.md
[group('run')]
bench:
    cargo bench --locked

# Build the image
[group('run')]
image:
    docker build --tag baseline .
