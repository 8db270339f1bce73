package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completeCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints a script made from the command line's own definition, so that it
// cannot lag behind.
func (c *completeCmd) Run(e *env, k *kong.Kong) error {
	var script bytes.Buffer
	words := map[string][]string{} // command path -> what may follow
	collect(k.Model.Node, "", words)
	switch c.Shell {
	case "fish":
		for _, path := range slices.Sorted(maps.Keys(words)) {
			next := words[path]
			cond := "__fish_use_subcommand"
			if path != "" {
				cond = "__fish_seen_subcommand_from " + lastWord(path)
			}
			for _, w := range next {
				if flag, ok := strings.CutPrefix(w, "--"); ok {
					fmt.Fprintf(&script, "complete -c sdc -n '%s' -l %s\n", cond, flag)
					continue
				}
				fmt.Fprintf(&script, "complete -c sdc -f -n '%s' -a %s\n", cond, w)
			}
		}
		_, err := script.WriteTo(e.out)
		return err
	case "zsh":
		fmt.Fprintln(&script, "autoload -U +X bashcompinit && bashcompinit")
	}
	fmt.Fprint(&script, "_sdc() {\n  local path=\"\" w\n  for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n    case \"$w\" in -*) ;; *) path=\"$path $w\" ;; esac\n  done\n  local next=\"\"\n  case \"$path\" in\n")
	// Longer paths first: the shell takes the first pattern that fits.
	paths := slices.Sorted(maps.Keys(words))
	slices.SortStableFunc(paths, func(a, b string) int { return len(b) - len(a) })
	for _, path := range paths {
		next := words[path]
		pattern := "\"\""
		if path != "" {
			pattern = "\" " + path + "\"*"
		}
		fmt.Fprintf(&script, "    %s) next=%q ;;\n", pattern, strings.Join(next, " "))
	}
	fmt.Fprint(&script, "  esac\n  COMPREPLY=($(compgen -W \"$next\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\ncomplete -o default -F _sdc sdc\n")
	_, err := script.WriteTo(e.out)
	return err
}

func collect(n *kong.Node, path string, words map[string][]string) {
	for _, child := range n.Children {
		if child.Hidden {
			continue
		}
		words[path] = append(words[path], child.Name)
		collect(child, strings.TrimSpace(path+" "+child.Name), words)
	}
	for _, f := range n.Flags {
		if !f.Hidden {
			words[path] = append(words[path], "--"+f.Name)
		}
	}
}

func lastWord(path string) string { return path[strings.LastIndexByte(path, ' ')+1:] }
