// Reads a catalog in a folder with go-tuf: every role from the pinned root on, then every target that a role names.
//
// go-tuf ROOT CATALOG: a line `<sha256> <target>` each; exit code 1 when something is refused. PDP_NOW may set the clock.
package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

func main() {
	if err := read(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(root, catalog string) error {
	file := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(catalog, name))
		if err != nil {
			return nil
		}
		return data
	}
	pinned, err := os.ReadFile(root)
	if err != nil {
		return err
	}
	trusted, err := trustedmetadata.New(pinned)
	if err != nil {
		return err
	}
	if now, set := os.LookupEnv("PDP_NOW"); set {
		if trusted.RefTime, err = time.Parse(time.RFC3339, now); err != nil {
			return err
		}
	}
	for version := trusted.Root.Signed.Version + 1; ; version++ {
		next := file(fmt.Sprintf("metadata/%d.root.json", version))
		if next == nil {
			break
		}
		if _, err := trusted.UpdateRoot(next); err != nil {
			return err
		}
	}
	if _, err := trusted.UpdateTimestamp(file("metadata/timestamp.json")); err != nil {
		return err
	}
	if _, err := trusted.UpdateSnapshot(file("metadata/snapshot.json"), false); err != nil {
		return err
	}
	targets, err := trusted.UpdateTargets(file("metadata/targets.json"))
	if err != nil {
		return err
	}
	found := map[string]*metadata.TargetFiles{}
	for name, target := range targets.Signed.Targets {
		found[name] = target
	}
	if targets.Signed.Delegations != nil {
		for _, role := range targets.Signed.Delegations.Roles {
			delegated, err := trusted.UpdateDelegatedTargets(file("metadata/"+role.Name+".json"), role.Name, metadata.TARGETS)
			if err != nil {
				return err
			}
			for name, target := range delegated.Signed.Targets {
				if ok, err := role.IsDelegatedPath(name); err != nil || !ok {
					return fmt.Errorf("%s may not name %s", role.Name, name)
				}
				found[name] = target
			}
		}
	}
	names := make([]string, 0, len(found))
	for name := range found {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		data := file("targets/" + name)
		if err := found[name].VerifyLengthHashes(data); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Printf("%x %s\n", sha256.Sum256(data), name)
	}
	return nil
}
