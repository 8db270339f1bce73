package plugathon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// wantedLanguages are those a reference device has texts in.
func wantedLanguages() []string { return []string{"en-US", "de", "el-GR", "zh-CN"} }

// texts: steps 7a to 7c.
func (r *run) texts(ctx context.Context) {
	if r.wants("7a") {
		r.set("7a", r.supported(ctx))
	}
	if r.wants("7b") {
		r.set("7b", r.localized(ctx, pm.Opt[uint64]{}))
	}
	if r.wants("7c") {
		r.set("7c", r.localized(ctx, pm.Some[uint64](1)))
	}
}

// refused tells a service that is not there from one that fails.
func refused(err error) verdict {
	var none *consumer.ServiceError
	if errors.As(err, &none) {
		return skipf("%v", err)
	}
	return failf("%v", err)
}

func (r *run) languages(ctx context.Context) ([]pm.Language, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.StepTimeout)
	defer cancel()
	return r.dev.GetSupportedLanguages(ctx)
}

func (r *run) supported(ctx context.Context) verdict {
	have, err := r.languages(ctx)
	if err != nil {
		return refused(err)
	}
	var missing []string
	for _, l := range wantedLanguages() {
		if !slices.Contains(have, l) {
			missing = append(missing, l)
		}
	}
	if len(missing) > 0 {
		return failf("%s; missing %s", strings.Join(have, " "), strings.Join(missing, " "))
	}
	return passf("%s", strings.Join(have, " "))
}

// mostLanguages bounds how many languages texts are asked for in.
const mostLanguages = 10

// localized asks for texts in each language that the device says it has, on its own: only those that match may come, and some must.
func (r *run) localized(ctx context.Context, version pm.Opt[uint64]) verdict {
	have, err := r.languages(ctx)
	if err != nil {
		return refused(err)
	}
	if len(have) == 0 {
		return failf("the device has texts in no language")
	}
	var seen []string
	for _, lang := range have[:min(mostLanguages, len(have))] {
		got, err := r.textsIn(ctx, lang, version)
		if err != nil {
			return refused(err)
		}
		if len(got) == 0 {
			return failf("no text in %s", lang)
		}
		for i := range got {
			if got[i].Lang != lang {
				return failf("asked for %s, got the text %q in %q", lang, got[i].Ref, got[i].Lang)
			}
			want, asked := version.Get()
			if v, ok := got[i].Version.Get(); asked && (!ok || v != want) {
				return failf("asked for version %d, got the text %q of version %d", want, got[i].Ref, v)
			}
		}
		seen = append(seen, fmt.Sprintf("%d in %s", len(got), lang))
	}
	return passf("%s", strings.Join(seen, ", "))
}

func (r *run) textsIn(ctx context.Context, lang string, version pm.Opt[uint64]) ([]pm.LocalizedText, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.StepTimeout)
	defer cancel()
	return r.dev.GetLocalizedText(ctx, &msg.GetLocalizedText{Lang: []string{lang}, Version: version})
}
