// Command sbom writes the software bill of materials of a program of this module: the modules that it is built from, as
// CycloneDX 1.5 in JSON. It asks the go command and go.sum, no network, and says nothing that changes from run to run.
//
//	go run ./internal/sbom -version v1.2.3 -o sbom.json ./cmd/sdc
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil { //nolint:forbidigo // it is a command
		fmt.Fprintln(os.Stderr, "sbom:", err) //nolint:forbidigo // it is a command
		os.Exit(1)                            //nolint:forbidigo // it is a command
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("sbom", flag.ContinueOnError)
	version := flags.String("version", "devel", "version of this module")
	file := flags.String("o", "", "file to write; default: standard output")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("one package is needed: the program to describe")
	}
	b, err := describe(ctx, flags.Arg(0), *version)
	if err != nil {
		return err
	}
	if *file != "" {
		return os.WriteFile(*file, b, 0o644) //nolint:gosec // it is to be published
	}
	_, err = out.Write(b)
	return err
}

// module is what the go command says of a module.
type module struct {
	Path, Version, GoMod, GoVersion string
	Main                            bool
	Replace                         *module
}

// modules lists the modules that a program is built from, each once.
func modules(ctx context.Context, program string) ([]module, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-json=Module", program)
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly", "CGO_ENABLED=0")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	b, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, strings.TrimSpace(complaints.String()))
	}
	seen := map[string]bool{}
	var out []module
	for d := json.NewDecoder(bytes.NewReader(b)); ; {
		var p struct{ Module *module }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if p.Module == nil || seen[p.Module.Path] { // the standard library has none
			continue
		}
		seen[p.Module.Path] = true
		m := *p.Module
		if m.Replace != nil {
			m.Path, m.Version = m.Replace.Path, m.Replace.Version
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b module) int { return cmp.Compare(a.Path, b.Path) })
	return out, nil
}

// sums reads go.sum: the hashes of modules by path and version.
func sums(ctx context.Context) (map[string]string, error) {
	path, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}/go.sum").Output()
	if err != nil {
		return nil, fmt.Errorf("go list -m: %w", err)
	}
	f, err := os.Open(strings.TrimSpace(string(path)))
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	out := map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if parts := strings.Fields(lines.Text()); len(parts) == 3 {
			out[parts[0]+"@"+parts[1]] = parts[2]
		}
	}
	return out, lines.Err()
}

// The parts of CycloneDX 1.5 that are used.
type (
	bom struct {
		Format       string       `json:"bomFormat"`
		SpecVersion  string       `json:"specVersion"`
		Version      int          `json:"version"`
		Metadata     metadata     `json:"metadata"`
		Components   []component  `json:"components"`
		Dependencies []dependency `json:"dependencies"`
	}
	metadata struct {
		Component component `json:"component"`
	}
	component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		PURL       string     `json:"purl"`
		Properties []property `json:"properties,omitempty"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	dependency struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn,omitempty"`
	}
)

// purl is the package URL of a module.
func purl(path, version string) string {
	return "pkg:golang/" + strings.ToLower(path) + "@" + url.PathEscape(version)
}

// describe makes the bill of one program.
func describe(ctx context.Context, program, version string) ([]byte, error) {
	all, err := modules(ctx, program)
	if err != nil {
		return nil, err
	}
	hashes, err := sums(ctx)
	if err != nil {
		return nil, err
	}
	out := bom{Format: "CycloneDX", SpecVersion: "1.5", Version: 1, Components: []component{}}
	var needs []string
	for _, m := range all {
		if m.Main {
			ref := purl(m.Path, version)
			out.Metadata.Component = component{
				Type: "application", Ref: ref, Name: m.Path, Version: version, PURL: ref, Properties: []property{{"go:version", m.GoVersion}, {"go:package", program}},
			}
			continue
		}
		ref := purl(m.Path, m.Version)
		c := component{Type: "library", Ref: ref, Name: m.Path, Version: m.Version, PURL: ref}
		sum, ok := hashes[m.Path+"@"+m.Version]
		if !ok {
			return nil, fmt.Errorf("%s %s is not in go.sum", m.Path, m.Version)
		}
		c.Properties = []property{{"go:sum", sum}}
		out.Components = append(out.Components, c)
		needs = append(needs, ref)
	}
	if out.Metadata.Component.Name == "" {
		return nil, fmt.Errorf("%s is no package of this module", program)
	}
	// Which module needs which is not told: the program is built from all of them.
	out.Dependencies = []dependency{{Ref: out.Metadata.Component.Ref, DependsOn: needs}}
	b, err := json.MarshalIndent(out, "", "  ")
	return append(b, '\n'), err
}
