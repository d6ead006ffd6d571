# Every command a person needs. `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
CARGO ?= cargo

# Long tests that are the same in the form for other systems.
UNTOUCHED := $(addprefix --skip ,a_recorded_log_is_compared a_load_on_top ctrl_c_ends no_worker_outlives)

.PHONY: help demo test check fix bench pictures clients ecosystem airflow torture fuzz wheel dist clean-data tools needs

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: needs ## Build and run everything, with the dashboard (ARGS="--speed 120 --scenario payments" to change it)
	@$(CARGO) build --release --locked --bin freshet $(if $(FEATURES),-p freshet --features $(FEATURES))
	@target/release/freshet demo $(ARGS)

test: needs tools ## Run every test that needs nothing but this repository and the package registries
# Most tests of the libraries wait, for sessions, sockets and disks: many of them at once.
	RUST_TEST_THREADS=6 $(CARGO) test --workspace --locked --lib
	$(CARGO) test --workspace --locked --bins --test '*'
	$(CARGO) test --workspace --locked --doc
# What stands in for what only Linux offers, on Linux: the broker over sockets, and whole shows.
	$(CARGO) test --locked -p broker -p freshet --features freshet/portable --test wire --test whole_program -- $(UNTOUCHED)

check: needs ## Look for anything that is not as it should be: format, lints, documentation. Changes nothing
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked --document-private-items

fix: needs ## Mend what can be mended by itself: format, simple lints
	$(CARGO) clippy --workspace --all-targets --fix --allow-dirty --allow-staged
	$(CARGO) fmt --all

bench: needs ## Run the benchmarks
	$(CARGO) bench --workspace --locked

pictures: needs ## Draw the dashboard's layouts and themes into docs/pictures, from made-up data
	@rm -f docs/pictures/*.svg
	@$(CARGO) run --quiet --locked -p dashboard --example gallery docs/pictures

clients: needs tools ## Try the broker with eight real clients, and compare with an Apache Kafka (needs Java, Node.js and Go; ten minutes)
	@tools/install-clients
	CLIENTS="$(CLIENTS)" $(CARGO) test --locked -p freshet --test clients --test bill -- --include-ignored --nocapture --test-threads 1

ecosystem: needs tools ## Try the broker with fifteen systems that people connect, beside an Apache Kafka (needs Java, Go; SYSTEMS="quix faust" for some; twenty minutes)
	@$(CARGO) build --release --locked --bin freshet
	@tools/ecosystem

torture: needs ## Kill the broker 200 times under load, run a thousand short shows, and look for what is missing
	$(CARGO) test --locked -p broker --test torture -- --ignored --nocapture two_hundred_kills
	$(CARGO) test --locked -p freshet --test short_shows -- --ignored --nocapture

# What it reaches is kept outside the corpus: that has only what is worth a look at every test.
fuzz: needs ## Look for bytes that do harm, guided by what they reach: ten minutes a target (needs a nightly Rust; FUZZ_SECONDS=60 for less)
	@command -v cargo-fuzz >/dev/null || $(CARGO) install --locked cargo-fuzz
	@for target in decode records recover; do mkdir -p fuzz/target/reached/$$target && (cd fuzz && $(CARGO) +nightly fuzz run --fuzz-dir . \
	  --sanitizer none $$target target/reached/$$target corpus/$$target -- -max_total_time=$(or $(FUZZ_SECONDS),600) -rss_limit_mb=2048) || exit 1; done

airflow: needs ## Run the batch lane's example DAG under a real Airflow, with a broker and a database of its own
	@$(CARGO) build --release --locked --bin freshet
	@tools/airflow

wheel: needs ## Build a Python wheel that runs on any Linux since 2014, and try it with each Python from 3.9 on that is here
	@tools/wheel build
	@tools/wheel try
# librdkafka with TLS, which the builds of other commands are without.
	$(CARGO) test --locked -p freshet --features ssl --test client_config

dist: needs ## Pack what is handed out: an archive with manual and completions, the wheel, checksums
	@tools/wheel build
	@tools/dist

clean-data: ## Delete what brokers and databases have left in ./data
	rm -rf data

# One line that says what to install, for a person who starts from nothing.
needs:
	@command -v $(CARGO) >/dev/null || { echo "Rust is missing: install it from https://rustup.rs, then run make again" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "a C compiler is missing: install gcc (Debian: apt-get install gcc libc6-dev) or clang, then run make again" >&2; exit 1; }

# The tests speak to the broker with clients of other projects; their Python ones live in an
# environment of their own.
tools:
	@tools/install
