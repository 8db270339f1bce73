package main

import (
	"crypto/x509"
	"fmt"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/keyfile"
	"github.com/semeco/go-sdc/sdc/pki"
)

type pkiCmd struct {
	Init   pkiInitCmd   `cmd:"" help:"Make a test certificate authority in a folder."`
	Issue  pkiIssueCmd  `cmd:"" help:"Issue a participant's certificate: DIR/NAME gets ca.pem, cert.pem and key.pem."`
	Sign   pkiSignCmd   `cmd:"" help:"Certify the key of a certificate signing request that was made elsewhere."`
	Renew  pkiRenewCmd  `cmd:"" help:"Issue a participant's certificate anew, with a fresh key; what it says stays."`
	Revoke pkiRevokeCmd `cmd:"" help:"Put a participant's certificate on the authority's revocation list, DIR/crl.pem."`
	Lint   pkiLintCmd   `cmd:"" help:"Check a certificate for use with SDC. Exit code 1 if peers would refuse it."`
	Show   pkiShowCmd   `cmd:"" help:"Show what a certificate says, SDC key purposes included."`
}

type pkiInitCmd struct {
	Dir  string        `arg:"" help:"Folder of the authority; made if need be."`
	Name string        `default:"SDC test CA" help:"Common name of the authority."`
	For  time.Duration `default:"87600h" help:"How long the authority is valid."`
}

func (c *pkiInitCmd) Run(e *env) error {
	if c.For <= 0 {
		return usagef("--for takes a positive duration, not %s", c.For)
	}
	ca, err := pki.NewCA(c.Name, c.For)
	if err != nil {
		return err
	}
	if err := ca.Write(c.Dir); err != nil {
		return fmt.Errorf("making the authority: %w", err)
	}
	fmt.Fprintf(e.out, "authority %q in %s\nnext: sdc pki issue %s NAME --role provider|consumer|both\n", c.Name, c.Dir, c.Dir)
	return nil
}

// pkiContent is what a certificate is to say.
type pkiContent struct {
	Role    string        `required:"" help:"SDC key purpose: provider, consumer or both."`
	Purpose []string      `placeholder:"OID" help:"Further key purposes, as object identifiers."`
	OnlySDC bool          `name:"only-sdc" help:"Leave serverAuth and clientAuth out."`
	EPR     []string      `name:"epr" placeholder:"URI" help:"Bind the certificate to an endpoint reference (urn:uuid:...) or equipment identifier."`
	Address []netip.Addr  `help:"Further IP addresses to put into the certificate."`
	For     time.Duration `default:"17520h" help:"How long the certificate is valid."`
}

func (c pkiContent) request(name string) (pki.Request, error) {
	role, err := pki.ParseRole(c.Role)
	if err != nil {
		return pki.Request{}, usageError{err}
	}
	if c.For <= 0 {
		return pki.Request{}, usagef("--for takes a positive duration, not %s", c.For)
	}
	return pki.Request{
		Name: name, Role: role, Purposes: c.Purpose, OnlySDC: c.OnlySDC, Identifiers: c.EPR, Addresses: c.Address, Validity: c.For,
	}, nil
}

type pkiIssueCmd struct {
	Dir  string `arg:"" help:"Folder of the authority (sdc pki init)."`
	Name string `arg:"" help:"Name of the participant; also the name of its folder below DIR."`
	pkiContent
	P12            bool   `name:"p12" help:"Also write identity.p12, as Windows and others read it, with the passphrase of --passphrase-file or SDC_PASSPHRASE."`
	PassphraseFile string `type:"existingfile" placeholder:"FILE" help:"Passphrase for identity.p12."`
	Replace        bool   `help:"Put it in the place of one that was issued under this name; the former key is lost. sdc pki renew keeps what the certificate says."`
	JSON           bool   `name:"json" help:"One JSON object."`
}

func (c *pkiIssueCmd) Run(e *env) error {
	request, err := c.request(c.Name)
	if err != nil {
		return err
	}
	passphrase, err := keyfile.Read(c.PassphraseFile)
	if err != nil {
		return err
	}
	if c.P12 && passphrase == nil {
		return usagef("--p12 needs a passphrase: --passphrase-file or %s", keyfile.PassphraseVariable)
	}
	ca, err := pki.ReadCA(c.Dir)
	if err != nil {
		return fmt.Errorf("reading the authority (sdc pki init makes one): %w", err)
	}
	folder, err := pki.Folder(c.Dir, c.Name)
	if err != nil {
		return usageError{err}
	}
	if _, err := os.Lstat(filepath.Join(folder, sdc.KeyFile)); err == nil && !c.Replace {
		return fmt.Errorf("%s has a key already, which would be lost: sdc pki renew issues its certificate anew, --replace makes another one", folder)
	}
	p, err := ca.Issue(request)
	if err != nil {
		return err
	}
	if err := p.Write(folder); err != nil {
		return err
	}
	if c.P12 {
		bundle, err := passphrase.EncodeBundle(p.Key(), p.Certificate, p.CA)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, sdc.BundleFile), bundle, 0o600); err != nil {
			return err
		}
	}
	if c.JSON {
		return writeJSON(e.out, struct {
			Dir string `json:"dir"`
			pki.Info
		}{filepath.ToSlash(folder), pki.Describe(p.Certificate)})
	}
	fmt.Fprintf(e.out, "%s %q in %s\nuse it with: --tls %s\n", request.Role, c.Name, folder, folder)
	return nil
}

type pkiSignCmd struct {
	Dir     string `arg:"" help:"Folder of the authority (sdc pki init)."`
	Request string `arg:"" type:"existingfile" help:"Certificate signing request in PEM form (openssl req -new)."`
	Out     string `required:"" placeholder:"FILE" help:"Where to write the certificate."`
	Name    string `help:"Common name. Default: that of the request."`
	pkiContent
	JSON bool `name:"json" help:"One JSON object."`
}

func (c *pkiSignCmd) Run(e *env) error {
	request, err := c.request(c.Name)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(c.Request)
	if err != nil {
		return err
	}
	ca, err := pki.ReadCA(c.Dir)
	if err != nil {
		return fmt.Errorf("reading the authority (sdc pki init makes one): %w", err)
	}
	cert, ignored, err := ca.Sign(text, request)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Request, err)
	}
	if err := pki.WriteCertificate(c.Out, cert); err != nil {
		return err
	}
	for _, name := range ignored {
		fmt.Fprintf(e.err, "sdc: warning: the request asks for %q, which the certificate does not have; --epr and --address give it\n", name)
	}
	if c.JSON {
		return writeJSON(e.out, pki.Describe(cert))
	}
	fmt.Fprintf(e.out, "%s %q in %s\n", request.Role, cert.Subject.CommonName, c.Out)
	return nil
}

type pkiRenewCmd struct {
	Dir  string        `arg:"" help:"Folder of the authority (sdc pki init)."`
	Name string        `arg:"" help:"Name of the participant, as it was issued."`
	For  time.Duration `help:"How long the new certificate is valid. Default: as long as the former one."`
}

func (c *pkiRenewCmd) Run(e *env) error {
	if c.For < 0 {
		return usagef("--for takes a positive duration, not %s", c.For)
	}
	ca, err := pki.ReadCA(c.Dir)
	if err != nil {
		return fmt.Errorf("reading the authority (sdc pki init makes one): %w", err)
	}
	p, err := ca.Renew(c.Dir, c.Name, c.For)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.out, "%s is valid until %s\nthe former certificate stays valid until it expires; sdc pki revoke takes it back only before it is renewed\n", c.Name, p.Certificate.NotAfter.Format(time.RFC3339))
	return nil
}

type pkiLintCmd struct {
	File string `arg:"" help:"PEM file: the certificate, then the rest of its chain; or the folder of a participant."`
	CA   string `name:"ca" type:"existingfile" placeholder:"FILE" help:"Authorities that peers trust. Default: the chain is not judged."`
	Role string `help:"What it is meant for: provider, consumer or both. Default: either."`
	EPR  string `name:"epr" placeholder:"URI" help:"Endpoint reference or equipment identifier that it must be bound to."`
	JSON bool   `name:"json" help:"One JSON object a finding."`
}

func (c *pkiLintCmd) Run(e *env) error {
	cfg := pki.LintConfig{EPR: c.EPR}
	var err error
	if c.Role != "" {
		if cfg.Role, err = pki.ParseRole(c.Role); err != nil {
			return usageError{err}
		}
	}
	chain, err := pki.ReadCertificates(certificateIn(c.File))
	if err != nil {
		return err
	}
	if c.CA != "" {
		if cfg.CAs, err = pki.ReadCertificates(c.CA); err != nil {
			return err
		}
	}
	failed := false
	for _, f := range pki.Lint(chain, cfg) {
		failed = failed || f.Severity == pki.SeverityError
		if c.JSON {
			if err := writeJSON(e.out, f); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(e.out, "%-7s %-14s %s: %s\n", f.Severity, f.ID, printable(f.Subject), printable(f.Message))
	}
	if failed {
		return errSilent
	}
	return nil
}

type pkiRevokeCmd struct {
	Dir    string `arg:"" help:"Folder of the authority (sdc pki init)."`
	Name   string `arg:"" optional:"" help:"Name of the participant, as it was issued."`
	Serial string `placeholder:"HEX" help:"Serial number of the certificate, as sdc pki show prints it, where the certificate is lost or was renewed."`
	Cert   string `type:"existingfile" placeholder:"FILE" help:"PEM file with the certificate, as sdc pki sign writes it."`
}

func (c *pkiRevokeCmd) Run(e *env) error {
	chosen := 0
	for _, s := range []string{c.Name, c.Serial, c.Cert} {
		if s != "" {
			chosen++
		}
	}
	if chosen != 1 {
		return usagef("say which certificate: by NAME, --serial or --cert, one of them")
	}
	var serial *big.Int
	if c.Serial != "" {
		var err error
		if serial, err = pki.ParseSerial(c.Serial); err != nil {
			return usageError{err}
		}
	}
	ca, err := pki.ReadCA(c.Dir)
	if err != nil {
		return fmt.Errorf("reading the authority (sdc pki init makes one): %w", err)
	}
	var path string
	what := c.Name + c.Serial + c.Cert
	switch {
	case serial != nil:
		path, err = ca.RevokeSerial(c.Dir, serial)
	case c.Cert != "":
		var certs []*x509.Certificate
		if certs, err = pki.ReadCertificates(c.Cert); err == nil {
			path, err = ca.RevokeCertificate(c.Dir, certs[0])
		}
	default:
		path, err = ca.Revoke(c.Dir, c.Name)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(e.out, "%s is on %s\ncopy that file into the folder of every other participant, beside its cert.pem\n", what, path)
	return nil
}

// certificateIn is the file itself, or the one with the certificate in the folder of a participant.
func certificateIn(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return filepath.Join(path, sdc.CertFile)
	}
	return path
}

type pkiShowCmd struct {
	File string `arg:"" help:"PEM file with one or more certificates, or the folder of a participant."`
	JSON bool   `name:"json" help:"One JSON object a certificate."`
}

func (c *pkiShowCmd) Run(e *env) error {
	infos, err := pki.Show(certificateIn(c.File))
	if err != nil {
		return err
	}
	for i, info := range infos {
		if c.JSON {
			if err := writeJSON(e.out, info); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(e.out)
		}
		fmt.Fprintln(e.out, info)
	}
	return nil
}
