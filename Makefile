# What people type. The work is in scripts/; each part's own build is beside its sources.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

DIST := $(CURDIR)/.build/dist
PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: help build deb packages-test site test conformance modern chaos demo bench install lint clean

help: ## This list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Install what is missing (apt), build release, leave a runnable tree in .build/dist
	@scripts/install-deps build
	@scripts/build-dist "$(DIST)"

deb: build ## Make Debian packages of it in .build/deb (taskhost, taskhost-dev, taskhost-dbgsym)
	@scripts/build-deb "$(DIST)" "$(CURDIR)/.build/deb"

packages-test: deb ## Install, run, upgrade and purge the packages in a fresh Debian root, under systemd (as root; minutes)
	@scripts/install-deps packages
	@Tests/Packaging/run

site: ## Build the documentation site in .build/site: every page, search, no dead link
	@PYTHON="$$(Tests/Support/venv)" scripts/build-site "$(CURDIR)/.build/site"

test: ## Build and run every test, with a RabbitMQ and a Redis of the tests' own
	@scripts/install-deps test
	@scripts/test

conformance: build ## Run Celery's own integration suite against taskhost, in three configurations (an hour)
	@scripts/install-deps test
	@make -C Tests/CelerySuite/bundle OUT="$(CURDIR)/.build/conformance" TASKHOST_SDK="$(CURDIR)/sdk"
	@Tests/Support/with-servers Tests/CelerySuite/run --dist "$(DIST)" $(ARGUMENTS)

modern: build ## Run the suites beside RabbitMQ 4.3 and 4.0, Redis 8, Valkey 9 and 8 (hours; ARGUMENTS="sid swift")
	@scripts/install-deps modern
	@Tests/Support/venv
	@swift build --build-tests
	@Tests/Modern/run $(ARGUMENTS)

chaos: build ## The long fault runs: 20,000 tasks under 120 kills on each broker, a mixed fleet, links dead for minutes
	@scripts/install-deps test
	@Tests/Support/venv
	@TASKHOST_TEST_DIST="$(DIST)" Tests/Support/with-servers .venv/bin/python -m pytest -q -s Tests/Faults -m chaos $(ARGUMENTS)
	@TASKHOST_TEST_DIST="$(DIST)" Tests/Support/with-servers .venv/bin/python -m pytest -q Tests/Journeys -m chaos $(ARGUMENTS)

demo: build ## Start a host on the embedded broker, send it sums and a photograph, show the results
	@demo/run "$(DIST)"

bench: build ## Measure the host beside the floor, PEERS=1: and beside other workers; SUITE=python, cost, sustained: see Benchmarks
	@scripts/install-deps test
	@SUITE=$(SUITE) Benchmarks/run $(ARGUMENTS)

install: ## Copy the built tree to PREFIX (default /usr/local); DESTDIR for packagers
	@scripts/install-dist "$(DIST)" "$(DESTDIR)$(PREFIX)"

lint: ## Formatting, imports, file sizes
	@scripts/lint

clean: ## Remove everything built
	rm -rf .build sdk/.build Plugins/*/.build Benchmarks/build
