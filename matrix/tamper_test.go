//go:build linux && amd64

package matrix

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// The kernel's side of ptrace, as far as package syscall has it not.
const (
	ptraceGetSyscallInfo = 0x420e
	ptraceExitKill       = 0x100000
	atEntry, atExit      = 1, 2
)

// write is one system call that changes something on disk.
type write struct {
	name string // of the call
	path string // what it changes; of a rename the new name
	size int    // of a write's data
	only bool   // it opens a file for reading, and makes it where there is none
}

func (x write) String() string {
	return x.name + " " + timeless(temporary.ReplaceAllString(x.path, ""))
}

// temporary is the random end of a file's name before it is renamed.
var temporary = regexp.MustCompile(`[0-9]{8,}$`)

// fate is what shall become of a system call. The zero value is: let it be.
type fate struct {
	fail  syscall.Errno  // it is refused with this
	short int            // a write takes so many bytes less one; 0: all
	kill  when           // the process is killed
	hears syscall.Signal // it is sent this one before
}

type when int

const (
	never when = iota
	before
	after
)

// tamper runs authbird and lets judge decide what becomes of each system call,
// counted from 0, that changes something in the world's folders. strace could
// do the same, but it counts calls by thread, and Go moves a run from thread to
// thread as it likes: the k-th write of a run is not to be had from it.
func (w *world) tamper(judge func(n int, x write) fate, args ...string) *child {
	w.t.Helper()
	c := w.command(args...)
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Setpgid: true}
	over := make(chan error)
	go func() {
		// All of it must come from one thread, which ends with this goroutine.
		runtime.LockOSThread()
		over <- w.trace(c, judge)
	}()
	if err := <-over; err != nil {
		w.t.Fatalf("follow authbird's system calls: %v", err)
	}
	w.ended(c)
	return c
}

func (w *world) trace(c *child, judge func(int, write) fate) error {
	w.mu.Lock()
	err := c.cmd.Start()
	w.child = c
	w.mu.Unlock()
	if err != nil {
		return err
	}
	pid := c.cmd.Process.Pid
	late := time.AfterFunc(longest, func() { syscall.Kill(pid, syscall.SIGKILL) })
	defer late.Stop()
	x := &tracer{pid: pid, below: []string{w.state, w.host}, judge: judge, fates: map[int]fate{}}
	status, err := x.follow()
	if err != nil {
		syscall.Kill(pid, syscall.SIGKILL)
		return err
	}
	_ = c.cmd.Wait() // for what it wrote; the process itself was waited for
	c.status = status
	return nil
}

// tracer follows one process.
type tracer struct {
	pid    int
	memory *os.File
	below  []string
	judge  func(int, write) fate
	n      int          // changes so far
	fates  map[int]fate // by thread, from a call's entry to its exit
}

// follow lets the process run to its end, stopping at each system call.
func (x *tracer) follow() (syscall.WaitStatus, error) {
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(x.pid, &status, syscall.WALL, nil); err != nil {
		return status, fmt.Errorf("wait for the start: %w", err)
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", x.pid))
	if err != nil {
		return status, err
	}
	defer memory.Close()
	x.memory = memory
	options := syscall.PTRACE_O_TRACESYSGOOD | syscall.PTRACE_O_TRACECLONE | ptraceExitKill
	if err := syscall.PtraceSetOptions(x.pid, options); err != nil {
		return status, fmt.Errorf("set options: %w", err)
	}
	tid, signal := x.pid, 0
	for {
		if err := syscall.PtraceSyscall(tid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return status, fmt.Errorf("go on: %w", err)
		}
		if tid, status, err = x.next(); err != nil {
			return status, err
		}
		if tid == x.pid && ended(status) {
			return status, nil
		}
		signal = x.stopped(tid, status)
	}
}

// next waits for a thread that stops, or for the end of the process. The
// process has a group of its own, so nobody else's child is waited for.
func (x *tracer) next() (int, syscall.WaitStatus, error) {
	for {
		var status syscall.WaitStatus
		tid, err := syscall.Wait4(-x.pid, &status, syscall.WALL, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return tid, status, fmt.Errorf("wait: %w", err)
		case tid == x.pid || !ended(status):
			return tid, status, nil
		}
	}
}

func ended(s syscall.WaitStatus) bool { return s.Exited() || s.Signaled() }

// stopped deals with a thread that stopped, and returns the signal that it
// shall go on with.
func (x *tracer) stopped(tid int, status syscall.WaitStatus) int {
	switch signal := status.StopSignal(); {
	case signal == syscall.SIGTRAP|0x80:
		x.call(tid)
		return 0
	case signal == syscall.SIGTRAP, signal == syscall.SIGSTOP: // a thread that begins, or began another
		return 0
	default:
		return int(signal)
	}
}

// call is a system call's entry or exit.
func (x *tracer) call(tid int) {
	info, ok := callInfo(tid)
	if !ok {
		return // the thread is gone
	}
	if info.op == atExit {
		f, judged := x.fates[tid]
		delete(x.fates, tid)
		if judged && f.fail != 0 {
			setRegisters(tid, func(r *syscall.PtraceRegs) { r.Rax = uint64(-int64(f.fail)) })
		}
		if judged && f.kill == after {
			syscall.Kill(x.pid, syscall.SIGKILL)
		}
		return
	}
	change, ok := x.change(tid, info)
	if info.op != atEntry || !ok {
		return
	}
	f := x.judge(x.n, change)
	x.n++
	if f.hears != 0 {
		syscall.Kill(x.pid, f.hears)
	}
	x.fates[tid] = f
	switch {
	case f.kill == before:
		syscall.Kill(x.pid, syscall.SIGKILL)
	case f.fail != 0: // no call has this number
		setRegisters(tid, func(r *syscall.PtraceRegs) { r.Orig_rax = ^uint64(0) })
	case f.short > 0:
		setRegisters(tid, func(r *syscall.PtraceRegs) { r.Rdx = uint64(f.short - 1) })
	}
}

// The access mode and flags of an open that changes something.
const opensToChange = syscall.O_CREAT | syscall.O_TRUNC

// change says what a system call changes, if anything in the world's folders.
func (x *tracer) change(tid int, c callAt) (write, bool) {
	out := write{}
	switch c.nr {
	case syscall.SYS_OPENAT:
		if c.args[2]&opensToChange == 0 {
			return out, false
		}
		out.name, out.path = "openat", x.text(c.args[1])
		out.only = c.args[2]&syscall.O_ACCMODE == syscall.O_RDONLY
	case syscall.SYS_WRITE, syscall.SYS_PWRITE64:
		out.name, out.path, out.size = "write", x.open(c.args[0]), int(c.args[2])
	case syscall.SYS_FSYNC, syscall.SYS_FDATASYNC:
		out.name, out.path = "fsync", x.open(c.args[0])
	case syscall.SYS_FTRUNCATE:
		out.name, out.path = "ftruncate", x.open(c.args[0])
	case syscall.SYS_FCHMOD, syscall.SYS_FCHOWN:
		out.name, out.path = "fchmod", x.open(c.args[0])
	case syscall.SYS_FCHMODAT:
		out.name, out.path = "fchmodat", x.text(c.args[1])
	case syscall.SYS_MKDIRAT:
		out.name, out.path = "mkdirat", x.text(c.args[1])
	case syscall.SYS_UNLINKAT:
		out.name, out.path = "unlinkat", x.text(c.args[1])
	case syscall.SYS_RENAMEAT, renameat2:
		out.name, out.path = "renameat", x.text(c.args[3])
	case syscall.SYS_RENAME, syscall.SYS_MKDIR, syscall.SYS_UNLINK, syscall.SYS_RMDIR, syscall.SYS_CREAT, syscall.SYS_LINK,
		syscall.SYS_LINKAT, syscall.SYS_SYMLINKAT, syscall.SYS_TRUNCATE, syscall.SYS_CHMOD, syscall.SYS_WRITEV, syscall.SYS_PWRITEV:
		panic(fmt.Sprintf("authbird uses system call %d, which this test does not know yet", c.nr))
	default:
		return out, false
	}
	for _, dir := range x.below {
		if rest, ok := strings.CutPrefix(out.path, dir); ok && (rest == "" || rest[0] == '/') {
			out.path = dir[strings.LastIndexByte(dir, '/')+1:] + rest
			return out, true
		}
	}
	return out, false
}

const renameat2 = 316

// open is the path of an open file.
func (x *tracer) open(fd uint64) string {
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", x.pid, int32(fd)))
	if err != nil {
		return ""
	}
	return path
}

// text is a string in the process's memory.
func (x *tracer) text(at uint64) string {
	buf := make([]byte, 4096)
	n, _ := x.memory.ReadAt(buf, int64(at))
	text, _, ok := bytes.Cut(buf[:n], []byte{0})
	if !ok {
		return ""
	}
	return string(text)
}

// callAt is a stop at a system call.
type callAt struct {
	op   byte
	nr   uint64
	args [6]uint64
}

// callInfo asks the kernel at which system call a thread stands.
func callInfo(tid int) (callAt, bool) {
	var buf [88]byte // struct ptrace_syscall_info
	_, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, ptraceGetSyscallInfo, uintptr(tid), uintptr(len(buf)), uintptr(unsafe.Pointer(&buf[0])), 0, 0)
	if errno != 0 {
		return callAt{}, false
	}
	c := callAt{op: buf[0], nr: binary.LittleEndian.Uint64(buf[24:])}
	for i := range c.args {
		c.args[i] = binary.LittleEndian.Uint64(buf[32+8*i:])
	}
	return c, true
}

func setRegisters(tid int, change func(*syscall.PtraceRegs)) {
	var r syscall.PtraceRegs
	if syscall.PtraceGetRegs(tid, &r) != nil {
		return // the thread is gone
	}
	change(&r)
	_ = syscall.PtraceSetRegs(tid, &r)
}
