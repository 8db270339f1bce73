package main

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/semeco/go-sdc/sdc/pki"
)

type pkiCmd struct {
	Init   pkiInitCmd   `cmd:"" help:"Make a test certificate authority in a folder."`
	Issue  pkiIssueCmd  `cmd:"" help:"Issue a participant's certificate: DIR/NAME gets ca.pem, cert.pem and key.pem."`
	Revoke pkiRevokeCmd `cmd:"" help:"Put a participant's certificate on the authority's revocation list, DIR/crl.pem."`
	Show   pkiShowCmd   `cmd:"" help:"Show what a certificate says, SDC key purposes included."`
}

type pkiInitCmd struct {
	Dir  string        `arg:"" help:"Folder of the authority; made if need be."`
	Name string        `default:"SDC test CA" help:"Common name of the authority."`
	For  time.Duration `default:"87600h" help:"How long the authority is valid."`
}

func (c *pkiInitCmd) Run(e *env) error {
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

type pkiIssueCmd struct {
	Dir     string        `arg:"" help:"Folder of the authority (sdc pki init)."`
	Name    string        `arg:"" help:"Name of the participant; also the name of its folder below DIR."`
	Role    string        `required:"" help:"SDC key purpose: provider, consumer or both."`
	Address []netip.Addr  `help:"Further IP addresses to put into the certificate."`
	For     time.Duration `default:"17520h" help:"How long the certificate is valid."`
	JSON    bool          `name:"json" help:"One JSON object."`
}

func (c *pkiIssueCmd) Run(e *env) error {
	role, err := pki.ParseRole(c.Role)
	if err != nil {
		return usageError{err}
	}
	ca, err := pki.ReadCA(c.Dir)
	if err != nil {
		return fmt.Errorf("reading the authority (sdc pki init makes one): %w", err)
	}
	p, err := ca.Issue(pki.Request{Name: c.Name, Role: role, Addresses: c.Address, Validity: c.For})
	if err != nil {
		return err
	}
	folder, err := pki.Folder(c.Dir, c.Name)
	if err != nil {
		return usageError{err}
	}
	if err := p.Write(folder); err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(e.out, struct {
			Dir string `json:"dir"`
			pki.Info
		}{filepath.ToSlash(folder), pki.Describe(p.Certificate)})
	}
	fmt.Fprintf(e.out, "%s %q in %s\nuse it with: --tls %s\n", role, c.Name, folder, folder)
	return nil
}

type pkiRevokeCmd struct {
	Dir  string `arg:"" help:"Folder of the authority (sdc pki init)."`
	Name string `arg:"" help:"Name of the participant, as it was issued."`
}

func (c *pkiRevokeCmd) Run(e *env) error {
	ca, err := pki.ReadCA(c.Dir)
	if err != nil {
		return fmt.Errorf("reading the authority (sdc pki init makes one): %w", err)
	}
	path, err := ca.Revoke(c.Dir, c.Name)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.out, "%s is on %s\ncopy that file into the folder of every other participant, beside its cert.pem\n", c.Name, path)
	return nil
}

type pkiShowCmd struct {
	File string `arg:"" help:"PEM file with one or more certificates."`
	JSON bool   `name:"json" help:"One JSON object a certificate."`
}

func (c *pkiShowCmd) Run(e *env) error {
	infos, err := pki.Show(c.File)
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
