// Command protogen writes Go code for the protocol buffers below a folder. It needs no protoc: the files are compiled by a library, and the
// two plug-ins of protocol buffers for Go, pinned in go.mod, are run on the result. It is a module of its own so that
// nobody who uses the stack gets what it needs.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	from := flag.String("proto", "", "folder with the .proto files")
	to := flag.String("out", "", "folder to write to")
	flag.Parse()
	if err := generate(context.Background(), *from, *to); err != nil {
		fmt.Fprintln(os.Stderr, "protogen:", err)
		os.Exit(1)
	}
}

func generate(ctx context.Context, from, to string) error {
	names, err := protoFiles(from)
	if err != nil {
		return err
	}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{from}}),
		SourceInfoMode: protocompile.SourceInfoStandard, // comments go into the code
	}
	compiled, err := compiler.Compile(ctx, names...)
	if err != nil {
		return err
	}
	req := &pluginpb.CodeGeneratorRequest{FileToGenerate: names, ProtoFile: inOrder(compiled)}
	for _, plugin := range []struct{ command, parameter string }{
		{"google.golang.org/protobuf/cmd/protoc-gen-go", ""},
		{"google.golang.org/grpc/cmd/protoc-gen-go-grpc", "require_unimplemented_servers=true"},
	} {
		req.Parameter = proto.String(plugin.parameter)
		if err := run(ctx, plugin.command, req, to); err != nil {
			return fmt.Errorf("%s: %w", plugin.command, err)
		}
	}
	return nil
}

// protoFiles lists the files by their import paths, sorted.
func protoFiles(from string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".proto" {
			return err
		}
		rel, err := filepath.Rel(from, path)
		names = append(names, filepath.ToSlash(rel))
		return err
	})
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("no .proto files in %q", from)
	}
	return names, err
}

// inOrder lists the files and everything they import, imports first, as plug-ins ask for.
func inOrder(files linker.Files) []*descriptorpb.FileDescriptorProto {
	var out []*descriptorpb.FileDescriptorProto
	seen := map[string]bool{}
	var add func(f protoreflect.FileDescriptor)
	add = func(f protoreflect.FileDescriptor) {
		if seen[f.Path()] {
			return
		}
		seen[f.Path()] = true
		for i := range f.Imports().Len() {
			add(f.Imports().Get(i).FileDescriptor)
		}
		out = append(out, protodesc.ToFileDescriptorProto(f))
	}
	for _, f := range files {
		add(f)
	}
	return out
}

// run gives the request to a plug-in and writes what it answers.
func run(ctx context.Context, command string, req *pluginpb.CodeGeneratorRequest, to string) error {
	in, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "run", command)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	var resp pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out, &resp); err != nil {
		return err
	}
	if resp.Error != nil {
		return errors.New(resp.GetError())
	}
	for _, f := range resp.File {
		if err := os.WriteFile(filepath.Join(to, fileName(f.GetName())), []byte(f.GetContent()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// fileName is what generated files are called here: device.pb.go becomes device_gen.go.
func fileName(name string) string {
	base := strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], ".go")
	return strings.TrimSuffix(strings.ReplaceAll(base, ".", "_"), "_pb") + "_gen.go"
}
