package interop

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

// startSDCri runs one of the programs of SDCri until the test ends.
func (w *world) startSDCri(t *testing.T, program string, args ...string) *peer {
	t.Helper()
	dir := filepath.Join("..", ".java")
	if _, err := os.Stat(filepath.Join(dir, "classes", program+".class")); err != nil {
		const why = "no SDCri: make interop-sdcri installs it into .java"
		if os.Getenv("SDC_REQUIRE_SDCRI") == "1" {
			t.Fatal(why)
		}
		t.Skip("SKIPPED, NOT TESTED: " + why)
	}
	if w.tlsDir != "" {
		args = append(args, w.tlsDir)
	}
	classpath := filepath.Join(dir, "classes") + string(os.PathListSeparator) + filepath.Join(dir, "jars", "*")
	return launch(t, program, "java", append([]string{"-cp", classpath, program, w.epr}, args...)...)
}

// newSDCriWorld is a world on the port of WS-Discovery, which SDCri cannot change.
func newSDCriWorld(t *testing.T, secure bool, ours sdc.Role) *world {
	t.Helper()
	w := newWorld(t, secure, ours)
	w.port = discovery.DefaultPort
	return w
}

// outline is a picture without what SDCri does not tell of.
func outline(p picture) picture {
	for handle, s := range p.States {
		s.Association, s.Presence, s.ActivationState, s.OperatingMode = "", "", "", ""
		p.States[handle] = s
	}
	return p
}

// SDCri's consumer finds our device, follows every kind of change, invokes operations, and has the same MDIB in the end.
func TestSDCriConsumerOfOurProvider(t *testing.T) {
	// covers: COEX-7, DPWS R0001
	for name, secure := range map[string]bool{"plain": false, "tls": true} {
		t.Run(name, func(t *testing.T) {
			w := newSDCriWorld(t, secure, sdc.RoleProvider)
			snap, err := mdib.ReadFile("testdata/device.xml")
			require.NoError(t, err)
			dev, err := provider.New(provider.Config{
				EPR: w.epr, MDIB: snap, Identity: w.ours, Policy: provider.AllowAll(), Insecure: !secure, Network: w.network(), Timing: discovery.PromptTiming(), ApplyProposals: true,
				Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
			})
			require.NoError(t, err)
			handleActivates(t, dev)
			stop := run(t, dev)
			require.NoError(t, dev.SetLocation(sdc.LocationDetail{Facility: "fac1", PoC: "poc1", Bed: "bed1"}))

			p := w.startSDCri(t, "ConsumerPeer", dev.XAddrs()[0])
			var connected struct {
				XAddrs, Scopes, Services []string
				Probed                   int
			}
			p.expect(t, "connected").decode(t, &connected)
			require.Equal(t, dev.XAddrs(), connected.XAddrs)
			require.Equal(t, 1, connected.Probed, "the directed Probe is answered")
			require.Equal(t, []string{"Get", "Set", "StateEvent"}, connected.Services)
			require.True(t, slices.ContainsFunc(connected.Scopes, func(s string) bool { return strings.HasPrefix(s, "sdc.ctxt.loc:/") }))

			driver := newDriver(dev)
			for range 100 { // two rounds of each kind of change, location included
				require.NoError(t, driver.step())
			}
			p.say(t, "operations", "operate")
			done := map[string]int{}
			for _, e := range p.all("operated") {
				var op struct {
					Handle, Kind, Response string
					Reports                []string
				}
				e.decode(t, &op)
				if op.Handle == driver.toggled() {
					continue // it is switched off
				}
				require.Equal(t, "Fin", op.Response, "%s", e.raw)
				require.Equal(t, []string{"Fin"}, op.Reports, "%s", e.raw)
				done[op.Kind]++
			}
			for _, kind := range everyOperation {
				require.Equal(t, kind != "SetMetricState", done[kind] > 0, "%s: %v", kind, done)
			}

			var theirs picture
			p.say(t, "mdib", fmt.Sprint("dump ", dev.MDIB().Version().MdibVersion)).decode(t, &theirs)
			requireSame(t, outline(pictureOf(dev.MDIB())), theirs)
			var seen struct{ Kinds []string }
			p.say(t, "seen", "seen").decode(t, &seen)
			require.Subset(t, seen.Kinds, []string{"Description", "Metric", "Waveform", "Alert", "Component", "Operation", "Context"})
			require.Empty(t, p.all("lost"))
			p.say(t, "stopped", "stop")
			require.NoError(t, stop())
		})
	}
}

// Our consumer finds SDCri's device, follows every kind of change, invokes operations, and has the same MDIB in the end.
func TestOurConsumerOfSDCriProvider(t *testing.T) {
	// covers: COEX-7
	for name, secure := range map[string]bool{"plain": false, "tls": true} {
		t.Run(name, func(t *testing.T) {
			w := newSDCriWorld(t, secure, sdc.RoleConsumer)
			p := w.startSDCri(t, "ProviderPeer", filepath.Join("testdata", "device.xml"))
			p.expect(t, "ready")
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			finder, err := discovery.NewClient(discovery.ClientConfig{UDP: discovery.UDPConfig{Port: w.port}})
			require.NoError(t, err)
			target, err := finder.Resolve(ctx, w.epr)
			require.NoError(t, err)
			require.NoError(t, finder.Close())

			dev, err := consumer.Connect(ctx, target, consumer.Config{
				Identity: w.ours, Insecure: !secure, Network: w.network(),
				Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
			})
			require.NoError(t, err)
			defer func() { _ = dev.Close(ctx) }()
			require.Equal(t, "SDCri provider", dev.Metadata().ThisDevice.FriendlyName[0].Text)
			seen := follow(dev)
			for range 5 {
				p.say(t, "stepped", "step")
			}
			r, err := dev.SetValue(ctx, "set.target", pm.MustDecimal("12"))
			require.NoError(t, err)
			require.Equal(t, msg.InvocationStateFin, r.State)
			r, err = dev.SetString(ctx, "set.label", "interop")
			require.NoError(t, err)
			require.Equal(t, msg.InvocationStateFin, r.State)
			require.Equal(t, "label", r.Target)
			patient := &pm.PatientContextState{}
			patient.DescriptorHandle, patient.Handle, patient.ContextAssociation = "patient", "patient", pm.ContextAssociationAssoc
			r, err = dev.SetContextState(ctx, "set.patient", patient)
			require.NoError(t, err)
			require.Equal(t, "patient.made", r.Target)
			_, err = dev.Activate(ctx, "ping")
			var failed *consumer.OperationError
			require.ErrorAs(t, err, &failed, "it has no handler")

			require.Empty(t, seen.wait(ctx, []string{
				"EpisodicMetricReport", "EpisodicAlertReport", "EpisodicContextReport", "WaveformStream", "DescriptionModificationReport", "OperationInvokedReport",
			}))
			var theirs picture
			p.say(t, "mdib", "dump").decode(t, &theirs)
			require.True(t, seen.reach(ctx, theirs.Version), "the mirror reaches version %d, is at %d", theirs.Version, dev.MDIB().Version().MdibVersion)
			requireSame(t, outline(pictureOf(dev.MDIB())), theirs)
			require.Empty(t, seen.gaps(), "no update was missed")
			require.NoError(t, dev.Close(ctx))
			require.ErrorIs(t, seen.end(ctx), consumer.ErrClosed)
			p.say(t, "stopped", "stop")
		})
	}
}
