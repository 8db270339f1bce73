package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// completions asks a shell what it would complete the last of words by.
func completions(t *testing.T, shell, script string, words ...string) []string {
	t.Helper()
	program, err := exec.LookPath(shell)
	if err != nil {
		t.Skip("SKIPPED, NOT TESTED: there is no " + shell)
	}
	var args []string
	switch shell {
	case "bash":
		args = append([]string{"-c", `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _sdc; printf "%s\n" "${COMPREPLY[@]}"`, "bash", script}, words...)
	case "zsh":
		args = append([]string{"-fc", `compdef() { }; compadd() { local cur=$words[CURRENT]; shift; print -l -- ${(M)@:#$cur*} }; _files() { }
			source "$1"; shift; words=("$@"); CURRENT=$#; _sdc`, "zsh", script}, words...)
	case "fish":
		args = []string{"-N", "-c", `source $argv[1]; cd $argv[3]; complete -C $argv[2] | string replace -r "\t.*" ""; true`, script, strings.Join(words, " "), t.TempDir()}
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %q: %s", shell, words, out)
	return strings.Fields(string(out))
}

func TestCompletions(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			code, out, errs := call(t, "completion", shell)
			require.Equal(t, exitOK, code, errs)
			script := filepath.Join(t.TempDir(), "script")
			require.NoError(t, os.WriteFile(script, []byte(out), 0o600))
			ask := func(words ...string) []string {
				return completions(t, shell, script, append([]string{"sdc"}, words...)...)
			}
			require.ElementsMatch(t, []string{"discover", "discovery-proxy"}, ask("disco"))
			require.Equal(t, []string{"init", "issue"}, ask("pki", "i"))
			require.Contains(t, ask("pki", "show", "--"), "--json")
			require.NotContains(t, ask("pki", "show", "--"), "--tls", "of context show")
			require.NotContains(t, ask("pki", "issue", ""), "init", "there is a command already")
			require.Equal(t, []string{"monitor"}, ask("simulate", "--tls", "pki/vent", "mon"))
			require.Contains(t, ask("simulate", "--tls", "pki/vent", "monitor", "--mis"), "--misbehave")
			require.Contains(t, ask("simulate", "--tls", "discover", "--mis"), "--misbehave", "the value of an option is no command")
			require.Equal(t, []string{"desaturation", "disconnection"}, ask("simulate", "monitor", "--scenario", "d"))
			require.Empty(t, ask("simulate", "monitor", "--tls", ""), "files, of which there are none")
			require.Contains(t, ask("discover", "--"), "--scope")
			require.Contains(t, ask("history", "x", "--versions", "1-2", "--fr"), "--from")
			require.Contains(t, ask("diff", "--versions", "--js"), "--json", "here no value follows")
			require.Contains(t, ask("--verbose", "disco"), "discover")
		})
	}
}
