package reftest

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
)

// Validate checks documents against the schemas of SOAP, WS-Addressing,
// WS-Discovery, WS-Eventing, WS-MetadataExchange, WSDL, DPWS and BICEPS, all in
// one process, and reports each invalid one as a test error. A document is a
// SOAP envelope, or any element that one of the schemas declares, such as an
// MDIB file. The keys only name the documents in messages.
//
// Without schemas or a validator the test is skipped (see [Check]), so call it
// last or in a subtest of its own.
func Validate(t testing.TB, docs map[string][]byte) {
	t.Helper()
	problems := Check(t, docs)
	for _, name := range sortedKeys(problems) {
		t.Errorf("%s is not schema-valid:\n\t%s", name, strings.Join(problems[name], "\n\t"))
	}
}

// Check is [Validate] returning the problems of each invalid document instead of
// failing. It is skipped without schemas or validator, or fails if
// SDC_REQUIRE_SCHEMAS=1.
func Check(t testing.TB, docs map[string][]byte) map[string][]string {
	t.Helper()
	dir := SchemaDir(t)
	run := validator()
	if run == nil {
		missing(t, "SDC_REQUIRE_SCHEMAS", "no schema validator: neither the virtual environment's lxml (make venv) nor xmllint is there")
	}
	work := t.TempDir()
	declared, err := prepare(dir, work)
	if err != nil {
		t.Fatalf("schemas in %s: %v", dir, err)
	}

	problems := map[string][]string{}
	names := sortedKeys(docs)
	var files []string
	for i, name := range names {
		// The schemas allow any body in an envelope and skip what they do not know;
		// we do not: the body must be declared somewhere.
		if err := wellKnown(docs[name], declared); err != nil {
			problems[name] = append(problems[name], err.Error())
			continue
		}
		file := filepath.Join(work, fmt.Sprintf("doc%05d.xml", i))
		if err := os.WriteFile(file, docs[name], 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	found, err := run(filepath.Join(work, driverName), files)
	if err != nil {
		t.Fatalf("schema validator: %v", err)
	}
	for i, name := range names {
		if p := found[fmt.Sprintf("doc%05d.xml", i)]; len(p) > 0 {
			problems[name] = append(problems[name], p...)
		}
	}
	return problems
}

// SchemaDir returns the folder of the schemas: SDC_SCHEMA_DIR, else the one inside
// the Python peer's package, else the reference's. When there is none the test is
// skipped, or fails if SDC_REQUIRE_SCHEMAS=1.
func SchemaDir(t testing.TB) string {
	t.Helper()
	const wanted = "BICEPS_MessageModel.xsd"
	var candidates []string
	if dir := os.Getenv("SDC_SCHEMA_DIR"); dir != "" {
		candidates = []string{dir}
	} else {
		if python, ok := PeerPython(); ok {
			venv := filepath.Dir(filepath.Dir(python))
			for _, lib := range []string{"lib/python3*/site-packages", "Lib/site-packages"} {
				found, _ := filepath.Glob(filepath.Join(venv, filepath.FromSlash(lib), "sdc11073", "xsd"))
				candidates = append(candidates, found...)
			}
		}
		if dir, ok := find(); ok {
			candidates = append(candidates, filepath.Join(dir, "schemas"))
		}
	}
	for _, dir := range candidates {
		if _, err := os.Stat(filepath.Join(dir, wanted)); err == nil {
			return dir
		}
	}
	missing(t, "SDC_REQUIRE_SCHEMAS", fmt.Sprintf("no schemas: set SDC_SCHEMA_DIR or run make venv (looked in %q)", candidates))
	return ""
}

const driverName = "all.xsd"

var (
	schemaLocation  = regexp.MustCompile(`schemaLocation\s*=\s*["']([^"']*)["']`)
	targetNamespace = regexp.MustCompile(`(?s)<(?:\w+:)?schema\b[^>]*?\btargetNamespace\s*=\s*["']([^"']*)["']`)
)

// prepare copies the schemas to work with every schemaLocation made local, so that
// neither network nor catalog is needed, adds one schema that imports them all, and
// returns the names of all global elements.
func prepare(dir, work string) (map[xml.Name]bool, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.xsd"))
	if err != nil {
		return nil, err
	}
	have := map[string]bool{}
	for _, f := range files {
		have[filepath.Base(f)] = true
	}
	declared := map[xml.Name]bool{}
	byNamespace := map[string]string{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		m := targetNamespace.FindSubmatch(b)
		if m == nil {
			return nil, fmt.Errorf("%s: no target namespace", filepath.Base(f))
		}
		space := string(m[1])
		if err := globalElements(b, space, declared); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(f), err)
		}
		b = schemaLocation.ReplaceAllFunc(b, func(attr []byte) []byte {
			loc := schemaLocation.FindSubmatch(attr)[1]
			base := string(loc[bytes.LastIndexByte(loc, '/')+1:])
			if !have[base] {
				return nil // resolved by the namespace, which the driver imports
			}
			return []byte(`schemaLocation="` + base + `"`)
		})
		base := filepath.Base(f)
		if err := os.WriteFile(filepath.Join(work, base), b, 0o600); err != nil {
			return nil, err
		}
		if other, dup := byNamespace[space]; dup {
			return nil, fmt.Errorf("%s and %s define the same namespace", other, base)
		}
		byNamespace[space] = base
	}
	var driver strings.Builder
	driver.WriteString(`<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:all">` + "\n")
	for _, space := range importOrder(byNamespace) {
		fmt.Fprintf(&driver, "<xs:import namespace=%q schemaLocation=%q/>\n", space, byNamespace[space])
	}
	driver.WriteString("</xs:schema>\n")
	return declared, os.WriteFile(filepath.Join(work, driverName), []byte(driver.String()), 0o600)
}

// importOrder puts first what others import without saying where it lies.
func importOrder(byNamespace map[string]string) []string {
	spaces := sortedKeys(byNamespace)
	rank := func(space string) int {
		switch space {
		case "http://www.w3.org/XML/1998/namespace":
			return 0
		case "http://www.w3.org/2005/08/addressing":
			return 1
		default:
			return 2
		}
	}
	sort.SliceStable(spaces, func(i, j int) bool { return rank(spaces[i]) < rank(spaces[j]) })
	return spaces
}

func globalElements(schema []byte, space string, into map[xml.Name]bool) error {
	d := xml.NewDecoder(bytes.NewReader(schema))
	d.Strict = false // some published schemas carry a DTD for documentation
	depth := 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := tok.(type) {
		case xml.StartElement:
			depth++
			if depth != 2 || e.Name.Local != "element" {
				continue
			}
			for _, a := range e.Attr {
				if a.Name.Space == "" && a.Name.Local == "name" {
					into[xml.Name{Space: space, Local: a.Value}] = true
				}
			}
		case xml.EndElement:
			depth--
		}
	}
}

const soapSpace = "http://www.w3.org/2003/05/soap-envelope"

// wellKnown tells whether the root, and the child of the Body in an envelope, are
// declared.
func wellKnown(doc []byte, declared map[xml.Name]bool) error {
	d := xml.NewDecoder(bytes.NewReader(doc))
	var path []xml.Name
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("not well-formed: %w", err)
		}
		switch e := tok.(type) {
		case xml.StartElement:
			isRoot := len(path) == 0
			inBody := len(path) == 2 && path[1] == xml.Name{Space: soapSpace, Local: "Body"}
			if (isRoot || inBody) && !declared[e.Name] {
				return fmt.Errorf("no schema declares the element {%s}%s", e.Name.Space, e.Name.Local)
			}
			path = append(path, e.Name)
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
}

// validator returns a function that validates files and gives the problems by file
// base name, or nil if no validator is installed.
func validator() func(schema string, files []string) (map[string][]string, error) {
	if python, ok := PeerPython(); ok && exec.CommandContext(context.Background(), python, "-c", "import lxml.etree").Run() == nil {
		return func(schema string, files []string) (map[string][]string, error) { return lxml(python, schema, files) }
	}
	if tool, err := exec.LookPath("xmllint"); err == nil {
		return func(schema string, files []string) (map[string][]string, error) { return xmllint(tool, schema, files) }
	}
	return nil
}

//go:embed validate.py
var validateScript string

func lxml(python, schema string, files []string) (map[string][]string, error) {
	request, err := json.Marshal(files)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(context.Background(), python, "-c", validateScript, schema)
	cmd.Stdin = bytes.NewReader(request)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, stderr.String())
	}
	found := map[string][]string{}
	if err := json.Unmarshal(out, &found); err != nil {
		return nil, err
	}
	return found, nil
}

func xmllint(tool, schema string, files []string) (map[string][]string, error) {
	found := map[string][]string{}
	if len(files) == 0 {
		return found, nil
	}
	cmd := exec.CommandContext(context.Background(), tool, append([]string{"--nonet", "--noout", "--schema", schema}, files...)...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	// 1: not well-formed, 3 and 4: invalid; anything else is our own mistake.
	code := cmd.ProcessState.ExitCode()
	if code != 0 && code != 1 && code != 3 && code != 4 {
		return nil, fmt.Errorf("exit %d: %s", code, out)
	}
	for line := range strings.Lines(string(out)) {
		file, problem, ok := strings.Cut(strings.TrimSpace(line), ".xml:")
		if !ok || !strings.Contains(file, "doc") {
			continue
		}
		base := filepath.Base(file) + ".xml"
		found[base] = append(found[base], "line "+problem)
	}
	if code != 0 && len(found) == 0 {
		return nil, fmt.Errorf("exit %d, but no problem understood: %s", code, out)
	}
	return found, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
