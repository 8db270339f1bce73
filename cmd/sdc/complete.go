package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

type completeCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish. Use it at once with: source <(sdc completion bash), or sdc completion fish | source."`
}

// Run prints a script made from the command line's own definition, so that it
// cannot lag behind.
func (c *completeCmd) Run(e *env, k *kong.Kong) error {
	var g grammar
	g.read(k.Model.Node, "")
	var script bytes.Buffer
	switch c.Shell {
	case "bash":
		g.posix(&script, bashBegin, bashEnd)
	case "zsh":
		g.posix(&script, zshBegin, zshEnd)
	case "fish":
		g.fish(&script)
	}
	_, err := script.WriteTo(e.out)
	return err
}

// grammar is what can follow what on the command line.
type grammar struct{ places []place }

// place is a command, or the program itself.
type place struct {
	path    string   // with a space before each word, " pki issue"
	words   []string // commands, or the values of an argument that takes only these
	files   bool     // an argument may be anything, a file among others
	options []option
}

type option struct {
	name, short, help string
	valued            bool
	values            []string // all there are, if that is known
}

func (g *grammar) read(n *kong.Node, path string) {
	p := place{path: path}
	for _, child := range n.Children {
		if !child.Hidden {
			p.words = append(p.words, child.Name)
		}
	}
	for _, a := range n.Positional {
		if a.Enum != "" && len(p.words) == 0 {
			p.words = a.EnumSlice()
		}
		p.files = p.files || a.Enum == ""
	}
	for _, f := range n.Flags {
		if f.Hidden {
			continue
		}
		o := option{name: "--" + f.Name, help: f.Help, valued: !f.IsBool() && f.Name != "help"}
		if f.Short != 0 {
			o.short = "-" + string(f.Short)
		}
		if f.Enum != "" {
			o.values = f.EnumSlice()
		}
		p.options = append(p.options, o)
	}
	g.places = append(g.places, p)
	for _, child := range n.Children {
		if !child.Hidden {
			g.read(child, path+" "+child.Name)
		}
	}
}

// withValue are the options after which a value comes, each with its command: the same name can be another thing elsewhere.
func (g *grammar) withValue() []string {
	var out []string
	for _, p := range g.places {
		for _, o := range p.options {
			if !o.valued {
				continue
			}
			out = append(out, p.path+" "+o.name)
			if o.short != "" {
				out = append(out, p.path+" "+o.short)
			}
		}
	}
	return out
}

// paths are those of all commands.
func (g *grammar) paths() []string {
	var out []string
	for _, p := range g.places {
		if p.path != "" {
			out = append(out, p.path)
		}
	}
	return out
}

// What differs between bash and zsh. "at" is the command so far, "value" is set where a value is due, list is what may come.
const (
	bashBegin = `_sdc() {
  local at="" value="" w i list="" cur="${COMP_WORDS[COMP_CWORD]}" last="${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    w="${COMP_WORDS[i]}"
`
	bashEnd = `  COMPREPLY=($(compgen -W "$list" -- "$cur"))
}
complete -o default -F _sdc sdc
`
	zshBegin = `#compdef sdc
(( $+functions[compdef] )) || { autoload -U compinit && compinit; }
_sdc() {
  local at="" value="" w i list="" cur="${words[CURRENT]}" last="${words[CURRENT-1]}"
  for ((i = 2; i < CURRENT; i++)); do
    w="${words[i]}"
`
	zshEnd = `  if [[ -n "$list" ]]; then compadd -- ${=list}; else _files; fi
}
compdef _sdc sdc
`
)

// posix writes the script for bash and zsh.
func (g *grammar) posix(w io.Writer, begin, end string) {
	fmt.Fprint(w, begin)
	fmt.Fprintf(w, "    if [[ -n \"$value\" ]]; then value=\"\"; continue; fi\n    case \"$at $w\" in\n      %s) value=1 ;;\n",
		quoted(g.withValue()))
	fmt.Fprintf(w, "      %s) at=\"$at $w\" ;;\n    esac\n  done\n", quoted(g.paths()))
	fmt.Fprint(w, "  if [[ -n \"$value\" ]]; then\n    case \"$at $last\" in\n")
	for _, p := range g.places {
		for _, o := range p.options {
			if len(o.values) > 0 {
				fmt.Fprintf(w, "      %q) list=%q ;;\n", p.path+" "+o.name, strings.Join(o.values, " "))
			}
		}
	}
	fmt.Fprint(w, "    esac\n  elif [[ \"$cur\" == -* ]]; then\n    case \"$at\" in\n")
	for _, p := range g.places {
		fmt.Fprintf(w, "      %q) list=%q ;;\n", p.path, strings.Join(p.names(), " "))
	}
	fmt.Fprint(w, "    esac\n  else\n    case \"$at\" in\n")
	for _, p := range g.places {
		switch {
		case len(p.words) > 0:
			fmt.Fprintf(w, "      %q) list=%q ;;\n", p.path, strings.Join(p.words, " "))
		case !p.files:
			fmt.Fprintf(w, "      %q) list=%q ;;\n", p.path, strings.Join(p.names(), " "))
		}
	}
	fmt.Fprint(w, "    esac\n  fi\n", end)
}

func (p place) names() []string {
	var out []string
	for _, o := range p.options {
		out = append(out, o.name)
	}
	return out
}

// quoted are texts as the pattern of a case, spaced as arguments.
func quoted(texts []string) string { return `"` + strings.Join(texts, `"|"`) + `"` }
func spaced(texts []string) string { return `"` + strings.Join(texts, `" "`) + `"` }

// fish writes the script for fish.
func (g *grammar) fish(w io.Writer) {
	fmt.Fprintf(w, `function __sdc_at
    set -l at ""
    set -l value
    for w in (commandline -opc)[2..-1]
        if set -q value[1]
            set -e value
        else if contains -- "$at $w" %s
            set value 1
        else if contains -- "$at $w" %s
            set at "$at $w"
        end
    end
    test "$at" = "$argv[1]"
end
complete -c sdc -e
`, spaced(g.withValue()), spaced(g.paths()))
	for _, p := range g.places {
		begin := fmt.Sprintf("complete -c sdc -n '__sdc_at %q'", p.path)
		if len(p.words) > 0 {
			fmt.Fprintf(w, "%s -f -a %q\n", begin, strings.Join(p.words, " "))
		} else if !p.files {
			fmt.Fprintf(w, "%s -f\n", begin)
		}
		for _, o := range p.options {
			fmt.Fprintf(w, "%s -l %s", begin, strings.TrimPrefix(o.name, "--"))
			if o.short != "" {
				fmt.Fprintf(w, " -s %s", strings.TrimPrefix(o.short, "-"))
			}
			switch {
			case len(o.values) > 0:
				fmt.Fprintf(w, " -x -a %q", strings.Join(o.values, " "))
			case o.valued:
				fmt.Fprint(w, " -r -F")
			}
			help, _, _ := strings.Cut(o.help, ". ")
			fmt.Fprintf(w, " -d '%s'\n", strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", " ").Replace(strings.TrimSuffix(help, ".")))
		}
	}
}
