// Package yamlguard stands between files of users and the YAML library, which panics on some documents that are not well-formed: found by fuzzing, for
// example a tag before a list that is indented less than its key.
package yamlguard

import "fmt"

// Do reads a document by fn and returns its error, or one for its panic. What fn was filling must not be used then.
func Do(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the document is no YAML that can be read: %v", p)
		}
	}()
	return fn()
}
