package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// framePeriod is how often the live view is drawn.
const framePeriod = time.Second / 15

// showLive draws the board until ctx ends or the user quits, which calls quit.
func showLive(ctx context.Context, quit func(), e *env, b *board) {
	defer quit()
	p := tea.NewProgram(liveView{board: b}, tea.WithContext(ctx), tea.WithInput(e.in), tea.WithOutput(terminal(e.out)), tea.WithoutSignalHandler())
	if _, err := p.Run(); err != nil && ctx.Err() == nil {
		e.log.Warn("live view", "error", err)
		<-ctx.Done() // the demonstration goes on without a picture
	}
}

type frame time.Time

func nextFrame() tea.Cmd {
	return tea.Tick(framePeriod, func(t time.Time) tea.Msg { return frame(t) })
}

// liveView is the bubbletea model; all content comes from the board.
type liveView struct {
	board         *board
	width, height int
}

func (v liveView) Init() tea.Cmd { return nextFrame() }

func (v liveView) Update(m tea.Msg) (tea.Model, tea.Cmd) {
	switch m := m.(type) {
	case frame:
		return v, nextFrame()
	case tea.WindowSizeMsg:
		v.width, v.height = m.Width, m.Height
	case tea.KeyPressMsg:
		switch m.String() {
		case "q", "esc", "ctrl+c":
			return v, tea.Quit
		}
	}
	return v, nil
}

func (v liveView) View() tea.View {
	view := tea.NewView(v.board.render(v.width))
	view.AltScreen = true
	view.WindowTitle = "sdc demo"
	return view
}

// styles of the live view. Colours of alarms follow IEC 60601-1-8: red, yellow, cyan.
var (
	styleTitle = lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Color("15"))
	styleDim   = lipgloss.NewStyle().Faint(true)
	styleWave  = lipgloss.NewStyle().Foreground(lipgloss.Color("10"))
	styleValue = lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Color("14"))
	styleHigh  = lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Color("15")).Background(lipgloss.Color("1"))
	styleMid   = lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Color("0")).Background(lipgloss.Color("11"))
	styleLow   = lipgloss.NewStyle().Foreground(lipgloss.Color("0")).Background(lipgloss.Color("14"))
	styleStale = lipgloss.NewStyle().Faint(true).Strikethrough(true)
)

func (b *board) render(width int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if width <= 0 {
		width = 80
	}
	var panels []string
	for _, p := range b.panels {
		panels = append(panels, p.render())
	}
	var body string
	if width >= 2*(waveWidth+2) {
		body = lipgloss.JoinHorizontal(lipgloss.Top, interleave(panels, "  ")...)
	} else {
		body = strings.Join(panels, "\n")
	}
	foot := fmt.Sprintf("%s   %d metric updates   %d samples   %d alert updates   %d gaps   mutual TLS   q quits",
		time.Since(b.start).Round(time.Second), b.sum.MetricUpdates, b.sum.WaveformSamples, b.sum.AlertUpdates, b.sum.Gaps)
	return body + "\n" + styleValue.Render(b.message) + "\n" + styleDim.Render(foot)
}

func interleave(parts []string, gap string) []string {
	var out []string
	for i, p := range parts {
		if i > 0 {
			out = append(out, gap)
		}
		out = append(out, p)
	}
	return out
}

func (p *panel) render() string {
	view := p.dev.View()
	snap, link := view.MDIB, view.Link
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", styleTitle.Render(p.name), linkText(link))
	for _, c := range p.waves {
		fmt.Fprintln(&b, styleDim.Render(clipTo(c.label, waveWidth)))
		for _, l := range c.sweep.Lines() {
			fmt.Fprintln(&b, styleWave.Render(l))
		}
	}
	style := styleValue
	if !view.Live() {
		style = styleStale // stale values must not look like live ones
	}
	b.WriteString(numerics(snap, style))
	b.WriteString(alarms(snap))
	return b.String()
}

func linkText(l consumer.Link) string {
	if l.State == consumer.Live {
		return styleDim.Render("live")
	}
	return styleHigh.Render(fmt.Sprintf(" %s, as of %s ", l.State, l.StaleSince.Format(time.TimeOnly)))
}

// numerics shows what is measured, two values a line.
func numerics(s *mdib.Snapshot, style lipgloss.Style) string {
	var b strings.Builder
	column := 0
	for ent := range s.Entities() {
		d, ok := ent.Descriptor.(*pm.NumericMetricDescriptor)
		if !ok || d.MetricCategory != pm.MetricCategoryMsrmt {
			continue
		}
		cell := fmt.Sprintf("%-16s ", clipTo(concept(d.Type), 16))
		val := fmt.Sprintf("%-11s", clipTo(value(d, ent.State), 11))
		b.WriteString(cell + style.Render(val))
		if column++; column%2 == 0 {
			b.WriteByte('\n')
		}
		if column == 16 {
			break
		}
	}
	if column%2 == 1 {
		b.WriteByte('\n')
	}
	return b.String()
}

func alarms(s *mdib.Snapshot) string {
	var parts []string
	for ent := range s.Entities() {
		c, ok := ent.State.(pm.ConditionState)
		if !ok || !c.BaseCondition().Presence {
			continue
		}
		style := styleLow
		d, ok := ent.Descriptor.(pm.ConditionDescriptor)
		if ok {
			switch d.BaseCondition().Priority {
			case pm.AlertConditionPriorityHi:
				style = styleHigh
			case pm.AlertConditionPriorityMe:
				style = styleMid
			}
		}
		parts = append(parts, style.Render(" "+clipTo(concept(ent.Descriptor.Base().Type), 30)+" "))
	}
	if parts == nil {
		return styleDim.Render("no alarms") + "\n"
	}
	return strings.Join(parts, " ") + "\n"
}

func clipTo(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
