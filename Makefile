# Everything sets itself up on a bare Debian 12 with Rust, Go and git.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
CARGO_DENY := 0.20.2

.PHONY: help setup demo demo-cluster test e2e hosts check bench mutants reference images

help: ## Lists the targets
	@grep -hE '^[a-z0-9-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup:
	@tools/setup

demo: setup ## Plays the whole story on loopback (KEEP=1 keeps it running)
	@cargo build --quiet --locked --workspace --bins
	@target/debug/demo

demo-cluster: setup ## The story of one data plane on a real control plane with real Flux (KEEP=1 keeps it running)
	@cargo build --quiet --locked --workspace --bins
	@target/debug/demo_cluster

test: setup ## All tests
	@rm -rf target/tmp/attacks
	@cargo test --locked --workspace
	@tools/attacks

e2e: setup ## Tests on a real control plane with real Flux, a quarter of an hour (builds both once, 12 minutes more)
	@rm -rf target/tmp/scenarios target/tmp/cluster-logs
	@cargo test --locked -p pdp-e2e --features cluster --test cluster -- --test-threads=6 || { tools/scenarios; exit 1; }
	@tools/scenarios

hosts: setup ## Tests against other people's registries, Git hosts, proxies and clients, 10 minutes (builds them once, 12 minutes more)
	@tools/setup hosts
	@rm -rf target/tmp/hosts
	@cargo test --locked -p pdp-e2e --features hosts --test hosts -- --test-threads=3
	@tools/hosts

check: setup ## Format, lints, licences, bans, purity
	@tools/check $(CARGO_DENY)

bench: setup ## Prints the table of figures (ONLY=release|transport|server|rollouts|cluster|rest|beside measures a part)
	@PDP_E2E_PDP_SYNC=$$(tools/shipped pdp-sync) cargo run --quiet --locked --release -p pdp-e2e --bin bench

images: setup ## Container images of static programs, as OCI layouts in target/images (TWICE=1 builds twice and compares)
	@tools/images

mutants: setup ## Takes one check out at a time; its tests must fail
	@tools/mutants

reference: ## Writes generated files anew: fixtures and command references
	@cargo run --quiet --locked -p pdp-fixtures
	@cargo run --quiet --locked -p pdp-transport --example codes > docs/codes.md
	@cargo run --quiet --locked -p pdp-transport --example failures > docs/failures.md
	@cargo run --quiet --locked -p pdp-policies --example flux_reasons > docs/flux-reasons.md
	@cargo run --quiet --locked -p pdp-policies --example rollout_states > docs/rollout-states.md
	@cargo run --quiet --locked -p pdp-publisher -- reference > docs/cli-publisher.md
	@cargo run --quiet --locked -p pdp-sync --bin pdp-sync -- reference > docs/cli-pdp-sync.md
	@cargo run --quiet --locked -p pdp-sync --bin kubectl-pdp -- reference > docs/cli-kubectl-pdp.md
	@cargo run --quiet --locked -p pdp-sync --bin pdp-sync -- crds > pdp-sync/chart/files/crds.yaml
	@cargo run --quiet --locked -p pdp-channel-server -- reference > docs/cli-channel-server.md
