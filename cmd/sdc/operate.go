package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
)

type setCmd struct {
	deviceFlags
	Target    string `arg:"" help:"Device: EPR, unique prefix of one, friendly name or URL."`
	Operation string `arg:"" help:"Handle of a SetValue or SetString operation, or of the metric it sets."`
	Value     string `arg:"" blank:"" help:"Number or text to set."`
	JSON      bool   `name:"json" help:"One JSON object."`
}

func (c *setCmd) Run(e *env) error {
	dev, closeAll, err := c.connect(e, c.Target)
	if err != nil {
		return err
	}
	defer closeAll()
	ctx, cancel := context.WithTimeout(e.ctx, c.Timeout)
	defer cancel()
	op, err := findOperation(dev.MDIB(), c.Operation)
	if err != nil {
		return err
	}
	var res *consumer.Result
	handle := op.Base().Handle
	switch op.(type) {
	case *pm.SetValueOperationDescriptor:
		v, parseErr := pm.ParseDecimal(c.Value)
		if parseErr != nil {
			return usagef("%s takes a number: %w", handle, parseErr)
		}
		res, err = dev.SetValue(ctx, handle, v)
	case *pm.SetStringOperationDescriptor:
		res, err = dev.SetString(ctx, handle, c.Value)
	default:
		return usagef("%s is a %s; set takes SetValue and SetString operations", handle, strings.TrimSuffix(typeName(op), "Descriptor"))
	}
	return printResult(e, c.JSON, handle, res, err)
}

type activateCmd struct {
	deviceFlags
	Target    string   `arg:"" help:"Device: EPR, unique prefix of one, friendly name or URL."`
	Operation string   `arg:"" help:"Handle of an Activate operation."`
	Argument  []string `arg:"" blank:"" optional:"" name:"arg" help:"Arguments in the order of the operation's descriptor."`
	JSON      bool     `name:"json" help:"One JSON object."`
}

func (c *activateCmd) Run(e *env) error {
	dev, closeAll, err := c.connect(e, c.Target)
	if err != nil {
		return err
	}
	defer closeAll()
	ctx, cancel := context.WithTimeout(e.ctx, c.Timeout)
	defer cancel()
	op, err := findOperation(dev.MDIB(), c.Operation)
	if err != nil {
		return err
	}
	if _, ok := op.(*pm.ActivateOperationDescriptor); !ok {
		return usagef("%s is a %s, not an Activate operation", c.Operation, strings.TrimSuffix(typeName(op), "Descriptor"))
	}
	res, err := dev.Activate(ctx, op.Base().Handle, c.Argument...)
	return printResult(e, c.JSON, op.Base().Handle, res, err)
}

// findOperation finds an operation by its handle, or by the handle of what it
// sets if only one operation does.
func findOperation(snap *mdib.Snapshot, handle string) (pm.OperationDescriptor, error) {
	if op, ok := mdib.Get[pm.OperationDescriptor](snap, handle); ok {
		return op, nil
	}
	var found []pm.OperationDescriptor
	var names []string
	for ent := range snap.Entities() {
		if op, ok := ent.Descriptor.(pm.OperationDescriptor); ok && op.BaseOperation().OperationTarget == handle {
			found, names = append(found, op), append(names, ent.Handle)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, fmt.Errorf("the device has no operation %q and none that sets it; sdc tree lists them", handle)
	}
	return nil, fmt.Errorf("several operations set %q: %s", handle, strings.Join(names, ", "))
}

// outcome is a Result as --json shows it.
type outcome struct {
	Operation     string   `json:"operation"`
	TransactionID uint32   `json:"transaction_id"`
	State         string   `json:"state"`
	Error         string   `json:"error,omitempty"`
	Message       string   `json:"message,omitempty"`
	Target        string   `json:"target,omitempty"`
	Steps         []string `json:"steps"`
}

// printResult shows how an invocation ended. Anything but Fin and FinMod is a failure of the command.
func printResult(e *env, asJSON bool, handle string, res *consumer.Result, err error) error {
	var failed *consumer.OperationError
	if res == nil || (err != nil && !errors.As(err, &failed)) {
		return err
	}
	o := outcome{Operation: handle, TransactionID: res.TransactionID, State: string(res.State), Error: string(res.Error), Target: res.Target}
	for _, t := range res.Message {
		if t.Text != "" {
			o.Message = t.Text
			break
		}
	}
	for _, s := range res.Steps {
		o.Steps = append(o.Steps, string(s.State))
	}
	if asJSON {
		if jsonErr := writeJSON(e.out, o); jsonErr != nil {
			return jsonErr
		}
		if err != nil {
			return errSilent
		}
		return nil
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.out, "%s: %s (%s)\n", handle, res.State, strings.Join(o.Steps, " > "))
	return err
}
