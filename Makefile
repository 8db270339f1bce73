# Needs Go, make, git and, for the interop tests and schema validation, python3
# with venv. A C compiler is used for the race detector. Everything else is built
# from pinned sources into ./.tools and ./.venv.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

GO           ?= go
FUZZTIME     ?= 5s
FUZZTOTAL    ?= 110
ATTACKTIME   ?= 10m
SOAKTIME     ?= 10m
SOAKSEED     ?= 0
GOLANGCI     := .tools/golangci-lint
GOVULNCHECK  := .tools/govulncheck
VULNREQUIRED ?=
VENV_STAMP   := .venv/.installed
CHROMIUM     := .tools/chromium/chromium
PLATFORMS    := linux/amd64 linux/arm64 windows/amd64 windows/arm64 darwin/amd64 darwin/arm64

# The race detector needs cgo, everything shipped is built without.
RACE := $(if $(shell command -v $${CC:-cc} 2>/dev/null),-race,)

step = @printf '\n== %s\n' "$(1)"

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 16

.PHONY: check
check: fmt-check ## quick inner loop: format, vet, short tests (cached)
	$(call step,go vet)
	$(GO) vet ./...
	$(call step,go test -short)
	$(GO) test -short ./...

.PHONY: test
test: fmt-check vet lint venv chromium test-race ratios fuzz cross ## everything that must pass before a change lands
	@printf '\nall passed\n'

.PHONY: fmt-check
fmt-check:
	$(call step,gofmt)
	@bad=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go' | while read -r f; do test -f "$$f" && echo "$$f"; done)); \
	if test -n "$$bad"; then printf 'not formatted (gofmt -w):\n%s\n' "$$bad"; exit 1; fi

.PHONY: vet
vet:
	$(call step,go vet)
	$(GO) vet ./...

.PHONY: lint
lint: $(GOLANGCI) ## golangci-lint, version pinned in tools/go.mod
	$(call step,golangci-lint)
	$(GOLANGCI) run --allow-serial-runners --timeout 15m ./...
	@bad=$$(git grep -lE 'time\.Sleep\(' -- '*_test.go' | xargs -r grep -LE 'testing/synctest|internal/testkit/bubble' || true); \
	if test -n "$$bad"; then printf 'time.Sleep in a test without virtual time (internal/testkit/bubble):\n%s\n' "$$bad"; exit 1; fi

.PHONY: test-race
test-race:
	$(call step,go test $(RACE) -shuffle=on)
	@if test -z "$(RACE)"; then echo 'NO C COMPILER: the race detector is off'; test "$${SDC_REQUIRE_RACE:-}" != 1; fi
	$(GO) test $(RACE) -shuffle=on -timeout 15m ./...

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (5s), at most FUZZTOTAL (110) seconds together
	$(call step,fuzz every target)
	@GO="$(GO)" FUZZTIME="$(FUZZTIME)" FUZZTOTAL="$(FUZZTOTAL)" bash .ci/fuzz

.PHONY: cross
cross: ## build for every supported platform without cgo
	$(call step,cross-compile)
	@for p in $(PLATFORMS); do \
		echo "$$p"; CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build ./...; \
	done

.PHONY: generate
generate: ## delete and write anew every *_gen.go, and docs/conformance.md
	$(call step,generate)
	git ls-files --cached --others --exclude-standard '*_gen.go' | xargs rm -f
	$(GO) generate ./...
	$(MAKE) conformance

.PHONY: conformance
conformance: ## write docs/conformance.md from the requirement list and the tests
	$(GO) run ./internal/conformance

.PHONY: bench
bench: venv ## measure everything on loopback and write docs/performance.md (5 minutes)
	$(GO) run ./bench

.PHONY: reliability
reliability: ## run the fault matrix and write docs/reliability.md
	$(GO) run ./reliability

.PHONY: soak
soak: ## ten minutes (SOAKTIME) of faults at random (SOAKSEED) on a fleet of devices, and that section of docs/reliability.md
	$(GO) run ./reliability -soak $(SOAKTIME) -seed $(SOAKSEED)

.PHONY: ratios
ratios: ## short form of the benchmarks: wide margins on ratios, exact ones on allocations
	$(call step,ratios and allocations)
	$(GO) test -count=1 ./bench
	$(GO) test -count=1 -run TestMixedAttack ./internal/testkit/attack -attack.ratio 4
	$(GO) test -count=1 -run TestMixedAttack ./internal/testkit/attack -attack.ratio 4 -attack.only held-bodies,deep-nesting
	$(GO) test -count=1 -run TestEachPair ./internal/testkit/attack

.PHONY: attack
attack: ## every attack beside every other, then ten minutes (ATTACKTIME) of mixed attacks on a device, with a well-behaved consumer as witness, and that section of docs/security.md; for a machine that does nothing else
	$(GO) test -count=1 -v -timeout 0 -run TestEachPair ./internal/testkit/attack -attack.pairs 1
	$(GO) test -count=1 -v -timeout 0 -run TestMixedAttack ./internal/testkit/attack -attack.for $(ATTACKTIME) -attack.at 4 -attack.ratio 2 -attack.record

.PHONY: station-load
station-load: chromium ## frame times and CPU of the web view with twenty devices and sixty waveforms; for a machine that does nothing else
	SDC_MEASURE=1 $(GO) test -count=1 -v -run TestMeasureTwentyDevices ./station/web 2>&1 | grep -v 'unhandled'

.PHONY: microbench
microbench: ## every Go benchmark once, with allocations
	$(GO) test -run '^$$' -bench . -benchmem ./...

.PHONY: interop
interop: venv ## only the tests against the independent stack
	SDC_REQUIRE_PEER=1 SDC_REQUIRE_SCHEMAS=1 $(GO) test -count=1 -v ./interop/...

.PHONY: interop-sdcri
interop-sdcri: .java/.installed ## the tests against SDCri, an independent stack in Java; needs a JDK (17 or later) and Maven
	SDC_REQUIRE_SDCRI=1 $(GO) test -count=1 -v -run SDCri ./interop

.java/.installed: interop/java/pom.xml $(wildcard interop/java/*.java)
	$(call step,SDCri in .java)
	rm -rf .java && mkdir -p .java/classes
	mvn -q -B -f interop/java/pom.xml dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/.java/jars
	javac -cp '.java/jars/*' -d .java/classes interop/java/*.java
	touch $@

.PHONY: venv
venv: ## the independent Python stack, in ./.venv
	@if ! $(MAKE) $(VENV_STAMP); then \
		printf '\nTHE PYTHON PEER COULD NOT BE INSTALLED: interop tests and schema validation will be skipped.\n'; \
		printf 'They need python3 (3.10 or later) with the venv module and a package index that pip can reach.\n'; \
		test "$${SDC_REQUIRE_PEER:-}" != 1; \
	fi

$(VENV_STAMP): interop/requirements.txt
	$(call step,Python peer in .venv)
	python3 -m venv --clear .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r interop/requirements.txt
	.venv/bin/python -c 'import sdc11073, lxml.etree'
	touch $@

.PHONY: chromium
chromium: ## Debian's Chromium for the tests of the web view, in ./.tools/chromium
	@if ! $(MAKE) $(CHROMIUM); then \
		printf '\nCHROMIUM COULD NOT BE INSTALLED: the web view will not be tested in a browser.\n'; \
		printf 'That needs Debian (apt-get, dpkg-deb) and a package mirror it can reach, or SDC_CHROMIUM naming an executable.\n'; \
		test "$${SDC_REQUIRE_CHROMIUM:-}" != 1; \
	fi

$(CHROMIUM): .ci/chromium
	$(call step,Chromium in .tools)
	bash .ci/chromium

.PHONY: sbom
sbom: ## software bill of materials of the program sdc, CycloneDX JSON, in sbom.cdx.json
	$(GO) run ./internal/sbom -version "$$(git describe --tags --always --dirty)" -o sbom.cdx.json ./cmd/sdc
	@echo sbom.cdx.json

.PHONY: vuln
vuln: $(GOVULNCHECK) ## known vulnerabilities in what is built, by the database VULNDB (vuln.go.dev); where it cannot be reached it says NOT CHECKED (VULNREQUIRED=1 fails then)
	$(call step,govulncheck)
	@status=0; out=$$($(GOVULNCHECK) $(if $(VULNDB),-db '$(VULNDB)') ./... 2>&1) || status=$$?; \
	printf '%s\n' "$$out"; \
	case $$status in 0|3) exit $$status;; esac; \
	case "$$out" in \
	*'fetching vulnerabilities'*) printf '\nNOT CHECKED: the database of vulnerabilities cannot be reached\n'; test -z '$(VULNREQUIRED)';; \
	*) printf '\nNOT CHECKED: govulncheck failed (status %s)\n' $$status; exit $$status;; \
	esac

$(GOVULNCHECK): tools/go.mod tools/go.sum
	$(call step,build govulncheck (once))
	cd tools && $(GO) build -o ../$(GOVULNCHECK) golang.org/x/vuln/cmd/govulncheck

$(GOLANGCI): tools/go.mod tools/go.sum
	$(call step,build golangci-lint (once))
	cd tools && $(GO) build -o ../$(GOLANGCI) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.PHONY: clean
clean: ## remove .tools, .venv and .java
	rm -rf .tools .venv .java
