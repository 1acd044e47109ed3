package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"authbird/flows"
	"authbird/state/disk"
)

// reportBegin is what every report begins with.
const reportBegin = "# authbird doctor\n"

// checkReport refuses, before anything is looked at, a place where no report
// can be written.
func (a *app) checkReport() error {
	path := a.opts.doctor.report
	if path == "" || path == "-" {
		return nil
	}
	flag := flagOr("report", a.given)
	info, err := os.Stat(filepath.Dir(path))
	if err != nil || !info.IsDir() {
		return usagef("%s: there is no folder %s", flag, filepath.Dir(path))
	}
	if err := mayReplace(path); err != nil {
		return usagef("%s: %v", flag, err)
	}
	return nil
}

// mayReplace refuses a file that is no report of the doctor's: a name mistyped
// must not cost somebody a file.
func mayReplace(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no file; name another", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, len(reportBegin))
	n, _ := io.ReadFull(f, head)
	if n > 0 && !bytes.Equal(head[:n], []byte(reportBegin)) {
		return fmt.Errorf("%s stands there already and is no report of the doctor's; name another file", path)
	}
	return nil
}

// report writes what was found, where a report was asked for: whole or not at
// all, readable for its owner only.
func (a *app) report(c *clinic, all ...*flows.Diagnosis) error {
	path := a.opts.doctor.report
	if path == "" {
		return nil
	}
	o := flows.ReportOptions{Version: versionOf(a.Version), At: a.Now(), Names: a.opts.doctor.names, MaskHosts: a.opts.doctor.maskHosts}
	for _, p := range c.patients {
		o.Secrets = append(o.Secrets, p.tokens.Authentik, p.tokens.NetBird)
	}
	text := flows.Report(all, o)
	if path == "-" {
		_, err := a.Stdout.Write(text)
		return err
	}
	if err := saveReport(path, text); err != nil {
		return err
	}
	a.note("the report is in " + path)
	return nil
}

// keepReport writes a report of the full screen into this folder.
func (a *app) keepReport(setup string, text []byte) (string, error) {
	path := absolute(flows.ReportName(setup, a.Now()))
	return path, saveReport(path, text)
}

// saveReport writes a report's file. The file that was there stays as it was
// where it can't be written.
func saveReport(path string, text []byte) error {
	if err := mayReplace(path); err != nil {
		return fmt.Errorf("the report was not written: %w", err)
	}
	if err := disk.WriteFile(path, text); err != nil {
		return fmt.Errorf("the report could not be written, and nothing stands at %s that did not before: %w", path, err)
	}
	return nil
}
