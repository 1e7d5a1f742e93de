"""The sandbox: what a run comes to, what a child cannot do, and what it cannot do to those that follow."""

from __future__ import annotations

import errno
import itertools
import mmap
import os
import platform
import signal
import struct
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder.sandbox import Limits, Outcome, Sandbox, SandboxFault, box, landlock, libc, policy, seccomp
from autograder.sandbox.zygote import END
from tests.engine.people import ORDINARY_USER

ENTRY = """
import ctypes, mmap, os, resource, signal, socket, sys, threading, time

warmed = os.getpid()

def warm():
    pass

def syscall(*arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(*map(ctypes.c_ulong, arguments)) == -1:
        raise OSError(ctypes.get_errno(), "refused")

def main(payload, send):
    exec(payload.decode(), {"send": send, **globals()})
"""
"""An entry whose payload is the student's code; `send` sends a frame."""

SMALL = Limits(cpu_seconds=10, wall_seconds=20, memory_bytes=256 << 20, threads=8, frames=100, frames_bytes=1 << 20)

Run = Callable[..., Outcome]


@pytest.fixture(scope="module")
def entry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("entry")
    (folder / "sandbox_entry.py").write_text(ENTRY)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield "sandbox_entry"


@pytest.fixture(scope="module")
def sandbox(entry: str) -> Iterator[Sandbox]:
    with Sandbox(entry=entry) as sandbox:
        yield sandbox


@pytest.fixture
def run(sandbox: Sandbox) -> Run:
    def run(code: str, *, limits: Limits = SMALL) -> Outcome:
        return sandbox.run(textwrap.dedent(code).encode(), limits=limits)

    return run


def refused(run: Run, attempt: str) -> bool:
    """Whether *attempt*, one statement, fails with an error of the operating system; and the child goes on."""
    outcome = run(f"try:\n    {attempt}\nexcept OSError:\n    send(b'refused')\nelse:\n    send(b'done')")
    assert outcome.ending == "finished", outcome
    return outcome.frames == (b"refused",)


# What a run comes to


def test_frames_arrive_whole_and_in_order(run: Run) -> None:
    """Frames of any size come back as they were sent."""
    outcome = run("send(b'one'); send(b''); send(bytes(300_000))")
    assert (outcome.frames, outcome.ending) == ((b"one", b"", bytes(300_000)), "finished")


def test_what_is_printed_goes_nowhere(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """Output is dropped, and whatever becomes of the streams, the run finishes."""
    assert run("print('x' * 5_000_000, file=sys.stderr); print('x'); sys.stdout = None").ending == "finished"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("end", "exit_code"),
    [
        ("1 / 0", 1),
        ("os._exit(0)", 0),
        ("sys.exit(0)", 1),
        ("ctypes.string_at(0)", -signal.SIGSEGV),
        ("os.abort()", -signal.SIGSEGV),  # it may not send itself the signal
        ("os.write(3, bytes([0, 0, 0, 9]) + b'cut'); os._exit(0)", 0),
        ("os.write(3, bytes([255] * 4) + b'more'); os._exit(0)", 0),
    ],
)
def test_child_that_ends_before_its_entry_is_stopped_and_keeps_its_frames(run: Run, end: str, exit_code: int) -> None:
    """Exceptions, exits, fatal signals and garbage in the pipe are the child's own result, never the grader's fault."""
    outcome = run(f"send(b'kept'); {end}")
    assert (outcome.ending, outcome.exit_code, outcome.frames) == ("stopped", exit_code, (b"kept",))


def test_statement_is_stopped_by_its_processor_timer(run: Run) -> None:
    """The default action of SIGPROF ends the child, whatever else it is doing, also in a PID namespace of its own."""
    outcome = run("send(b'kept'); signal.setitimer(signal.ITIMER_PROF, 0.2); sum(iter(int, 1))")
    assert (outcome.ending, outcome.exit_code, outcome.frames) == ("stopped", -signal.SIGPROF, (b"kept",))
    assert 0.1 < outcome.cpu_seconds < 1


# Limits


@pytest.mark.parametrize(
    "code",
    [
        "time.sleep(60)",
        "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()); sum(iter(int, 1))",
        "[threading.Thread(target=time.sleep, args=(60,)).start() for _ in range(4)]; time.sleep(60)",
    ],
)
def test_run_without_end_is_stopped_by_the_wall_clock(run: Run, code: str) -> None:
    """Whatever a child does with its time, it is over soon after its limit, and what it sent counts."""
    outcome = run(f"send(b'kept'); {code}", limits=Limits(wall_seconds=1))
    assert (outcome.ending, outcome.exit_code, outcome.frames) == ("stopped", -signal.SIGKILL, (b"kept",))
    assert outcome.seconds < 2


def test_child_that_closes_its_pipe_has_nothing_more_to_say(run: Run) -> None:
    """It is stopped at once."""
    outcome = run("send(b'kept'); os.close(3); time.sleep(60)")
    assert (outcome.ending, outcome.frames) == ("stopped", (b"kept",))
    assert outcome.seconds < 10


def test_processor_time_is_limited(run: Run) -> None:
    """All threads count together, and no handler or mask helps."""
    outcome = run(
        """
        for number in (signal.SIGXCPU, signal.SIGPROF): signal.signal(number, signal.SIG_IGN)
        for _ in range(3): threading.Thread(target=sum, args=(iter(int, 1),)).start()
        """,
        limits=Limits(cpu_seconds=1),
    )
    assert (outcome.ending, outcome.exit_code) == ("stopped", -signal.SIGKILL)
    assert 0.5 < outcome.cpu_seconds < 3


def test_pause_of_a_child_costs_it_nothing(run: Run) -> None:
    """A child that is stopped and continued, as a whole machine may be, finishes: its processor time counts."""
    (warm_process,) = run("send(str(warmed).encode())").frames
    idle = children(int(warm_process))

    def pause() -> None:
        child = wait_for_child(int(warm_process), idle)
        os.kill(child, signal.SIGSTOP)
        time.sleep(2)
        os.kill(child, signal.SIGCONT)

    pausing = threading.Thread(target=pause)
    pausing.start()
    outcome = run("""
        signal.setitimer(signal.ITIMER_PROF, 1.5)
        while time.process_time() < 0.5: pass
    """)
    pausing.join()
    assert outcome.ending == "finished"
    assert outcome.seconds > 2


def test_pause_of_the_grader_costs_its_child_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the whole grader was stopped, as in a container that is paused, its child could do nothing meanwhile."""
    pause = itertools.chain([0.0, 0.0], itertools.repeat(3600.0))
    monkeypatch.setattr(box, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + next(pause)))
    assert run("time.sleep(0.1)").ending == "finished"


def children(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def wait_for_child(warm_process: int, idle: set[int]) -> int:
    """The child of a warm process, beside the *idle* first process of its PID namespace, once it runs student code."""
    while not (new := children(warm_process) - idle):
        time.sleep(0.005)
    time.sleep(0.1)
    return new.pop()


def test_memory_is_limited(run: Run) -> None:
    """Too much memory is a MemoryError in the child, which goes on."""
    outcome = run("""
        try:
            bytes(512 << 20)
        except MemoryError:
            send(b'refused')
        try:
            mmap.mmap(-1, 512 << 20)  # shared
        except OSError:
            send(b'refused')
        hoard = []
        try:
            while True: hoard.append(bytes(1 << 20))
        except MemoryError:
            hoard.clear(); send(b'refused')
    """)
    assert (outcome.ending, outcome.frames) == ("finished", (b"refused",) * 3)


def test_flood_of_frames_is_stopped(run: Run) -> None:
    """Frames beyond the limits end the child; the complete ones before count."""
    outcome = run("while True: send(bytes(100_000))")
    assert (outcome.ending, outcome.frames) == ("stopped", (bytes(100_000),) * 10)
    outcome = run("while True: send(b'x')")
    assert (outcome.ending, outcome.frames) == ("stopped", (b"x",) * 100)


def test_frames_up_to_the_limit_are_no_flood(run: Run) -> None:
    """The limit is the frames' bytes with four for each header."""
    assert run("send(bytes(96))", limits=Limits(frames_bytes=100)).ending == "finished"
    assert run("send(bytes(97))", limits=Limits(frames_bytes=100)).ending == "stopped"


def test_threads_run_up_to_their_limit(run: Run) -> None:
    """Threads work and can be joined, and a bomb of them is refused."""
    outcome = run("""
        done = threading.Event()
        threads = []
        try:
            while len(threads) < 200:
                thread = threading.Thread(target=done.wait)
                thread.start()
                threads.append(thread)
        except RuntimeError:
            pass
        done.set()
        for thread in threads: thread.join()
        send(str(len(threads)).encode())
    """)
    assert outcome.ending == "finished"
    assert 4 <= int(outcome.frames[0]) <= SMALL.threads + 3


def test_descriptors_are_limited(run: Run) -> None:
    """A child cannot hoard descriptors."""
    assert refused(run, "hoard = [open('/dev/null') for _ in range(100)]")


# A fair share


def test_neighbour_with_many_threads_costs_nobody_anything(entry: str) -> None:
    """A run is charged its own processor time, however many threads spin in another one."""
    spin = "for _ in range(60): threading.Thread(target=sum, args=(iter(int, 1),)).start()"
    with Sandbox(entry=entry) as one, Sandbox(entry=entry) as other:
        assert other.isolation
        neighbour = threading.Thread(target=one.run, args=(spin.encode(),), kwargs={"limits": Limits(cpu_seconds=3)})
        neighbour.start()
        time.sleep(0.5)
        outcome = other.run(b"signal.setitimer(signal.ITIMER_PROF, 1)\nwhile time.process_time() < 0.2: pass")
        assert neighbour.is_alive()
        neighbour.join()
    assert outcome.ending == "finished"


def test_system_without_a_place_for_temporary_files_will_do(entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grading writes into its own folders alone: a container may be read-only but for these."""

    def read_only() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", read_only)
    with Sandbox(entry=entry) as sandbox:
        assert sandbox.run(b"import tempfile; send(tempfile.gettempdir().encode())").frames == (b"/tmp",)


def test_waiting_for_a_core_costs_nothing(entry: str) -> None:
    """A run that others keep from its core for longer than its wall time finishes: it did not sleep."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})  # what is started here keeps to that core
    try:
        with Sandbox(entry=entry) as sandbox:
            assert sandbox.isolation
            busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(3)]
            outcome = sandbox.run(b"while time.process_time() < 0.6: pass", limits=Limits(wall_seconds=1))
            for neighbour in busy:
                neighbour.kill()
                neighbour.wait()
    finally:
        os.sched_setaffinity(0, cores)
    assert outcome.ending == "finished"
    assert outcome.seconds < 1


# What a child cannot do


@pytest.mark.parametrize(
    "attempt",
    [
        "os.fork()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
        "os.kill(os.getppid(), signal.SIGTERM)",
        "os.kill(warmed, signal.SIGKILL)",
        "os.kill(-1, signal.SIGKILL)",
        "os.kill(1, signal.SIGKILL)",
        "signal.pidfd_send_signal(os.pidfd_open(warmed), signal.SIGKILL)",
        "socket.socket()",
        "socket.socketpair()",
        "socket.create_connection(('127.0.0.1', 80), 1)",
        "os.listdir('/')",
        "os.listdir('/proc/self/fd')",
        "open('/etc/passwd')",
        "open('/proc/self/mem', 'rb')",
        "open(f'/proc/{warmed}/environ')",
        "os.mkdir('/tmp/made')",
        "open('/tmp/made', 'w')",
        "os.open('/tmp', os.O_TMPFILE | os.O_RDWR)",
        "os.memfd_create('x')",
        "os.chdir('/tmp')",
        "os.setuid(0)",
        "os.nice(-1)",
        "os.pipe()",
        "os.sched_setaffinity(0, {0})",
        "os.open(os.__file__, os.O_RDONLY | os.O_TRUNC)",
        "os.chmod(os.__file__, 0o777)",
        "os.utime(os.__file__)",
        "os.truncate(os.__file__, 0)",
        "__import__('fcntl').fcntl(1, __import__('fcntl').F_SETOWN, warmed)",
        "__import__('fcntl').fcntl(3, __import__('fcntl').F_ADD_SEALS, 0)",
        "__import__('fcntl').flock(1, __import__('fcntl').LOCK_SH)",
        "__import__('fcntl').ioctl(1, 0x5412, b'x')",
        "os.readlink('/proc/self/exe')",
        "__import__('autograder.sandbox.libc').sandbox.libc.prctl(4, 1)",  # PR_SET_DUMPABLE
        "__import__('autograder.sandbox.libc').sandbox.libc.prctl(1, 0)",  # PR_SET_PDEATHSIG
    ],
)
def test_attempt_is_refused(run: Run, attempt: str) -> None:
    """Each way out is an ordinary error for the code that tries it."""
    assert refused(run, attempt)


def test_a_file_of_the_graders_is_unreadable(run: Run, tmp_path: Path) -> None:
    """A hidden check cannot be read, imported or listed, whatever its modes say; nor can the engine's source."""
    (tmp_path / "hidden_check.py").write_text("answer = 42")
    assert refused(run, f"open({str(tmp_path / 'hidden_check.py')!r})")
    assert refused(run, f"os.listdir({str(tmp_path)!r})")
    outcome = run(f"sys.path.insert(0, {str(tmp_path)!r})\ntry: import hidden_check\nexcept ImportError: send(b'no')")
    assert outcome.frames == (b"no",)
    assert refused(run, f"open({__file__!r})")
    assert refused(run, f"open({policy.__file__!r})")


def test_shared_futexes_are_refused_but_for_waits(run: Run) -> None:
    """No child wakes another by a page that both map; locks and joins inside the process work."""
    number = seccomp_numbers()["futex"]
    outcome = run(f"""
        memory = mmap.mmap(-1, 4096)
        address = ctypes.addressof(ctypes.c_int.from_buffer(memory))
        for operation in range(0, 512):
            try: syscall({number}, address, operation, 1, 1, 0, 0)  # a wait for another value than what is there
            except OSError as error:
                if error.errno == {errno.EPERM}: continue
            send(str(operation).encode())
    """)
    waits, wakes = {0, 9, 265}, {1, 3, 4, 5, 10}
    assert set(map(int, outcome.frames)) == waits | {operation | 128 for operation in waits | wakes}


def seccomp_numbers() -> dict[str, int]:
    architecture = seccomp.architecture()
    assert architecture is not None
    return dict(architecture.numbers)


def test_limits_can_be_read_and_not_changed(run: Run) -> None:
    """A child may look at its limits; it cannot set them, or anyone else's."""
    outcome = run("""
        send(str(resource.getrlimit(resource.RLIMIT_CORE)).encode())
        for change in (
            lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
            lambda: resource.prlimit(warmed, resource.RLIMIT_CORE),
        ):
            try: change()
            except (OSError, ValueError): send(b'refused')
    """)
    assert outcome.frames == (b"(0, 0)", b"refused", b"refused")


def test_late_imports_and_the_null_device_work(run: Run) -> None:
    """What the warm process has not imported can be imported, output can be thrown away, and input is empty."""
    outcome = run("""
        import colorsys, sqlite3, zoneinfo
        open(os.devnull, 'w').write('x')
        os.urandom(8), zoneinfo.ZoneInfo('Asia/Seoul')
        try: input()
        except EOFError: send(b'end')
    """)
    assert (outcome.ending, outcome.frames) == ("finished", (b"end",))


def test_only_the_descriptors_that_a_child_needs_are_open(run: Run) -> None:
    """The null device three times and its frames: neither its payload nor a way to the grader."""
    outcome = run("""
        import stat
        for descriptor in range(1000):
            try: mode = os.fstat(descriptor).st_mode
            except OSError: continue
            send(f"{descriptor} {stat.filemode(mode)[0]}".encode())
    """)
    assert outcome.frames == (b"0 c", b"1 c", b"2 c", b"3 p")


# What is left for the next run


def test_payload_is_sealed() -> None:
    """Nobody can change it, by whatever descriptor: not by writing, cutting, growing or mapping, or opening it anew."""
    with box._sealed(b"payload") as file:
        again = os.open(f"/proc/self/fd/{file.fileno()}", os.O_RDWR)
        for attempt in (
            lambda: os.pwrite(again, b"x", 0),
            lambda: os.ftruncate(again, 0),
            lambda: os.ftruncate(again, 100),
            lambda: mmap.mmap(again, 7),
        ):
            with pytest.raises(OSError, match=r"Operation not permitted"):
                attempt()
        assert os.pread(again, 100, 0) == b"payload"
        os.close(again)


@pytest.mark.skipif(os.geteuid() != 0, reason="the warm process closes its memory to its own user, too")
def test_no_trace_of_a_run_reaches_the_next(run: Run) -> None:
    """The warm process, whose memory every child inherits, holds nothing of a payload or a result."""
    payload, result = os.urandom(16), os.urandom(16)
    outcome = run(f"# {payload.hex()}\nsend(bytes.fromhex('{result.hex()}')); send(str(warmed).encode())")
    assert outcome.frames[0] == result
    memory = memory_of(int(outcome.frames[1]))
    assert b"sandbox_entry" in memory
    assert payload.hex().encode() not in memory
    assert result not in memory


def memory_of(pid: int) -> bytes:
    """What a process has written to its memory, except for files and devices that it maps."""
    found = bytearray()
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            span, rights, _, _, inode, *_ = line.split()
            if rights.startswith("rw") and inode == "0":
                start, end = (int(address, 16) for address in span.split("-"))
                memory.seek(start)
                found += memory.read(end - start)
    return bytes(found)


def test_what_one_run_changes_is_gone_in_the_next(run: Run) -> None:
    """Modules, environment, working state: every child starts from the same warm memory."""
    run("sys.planted = 1; os.environ['PLANTED'] = '1'; import builtins; builtins.planted = 1")
    assert run("send(str([hasattr(sys, 'planted'), 'PLANTED' in os.environ]).encode())").frames == (b"[False, False]",)


def test_reading_leaves_no_access_time_and_processes_are_hidden(sandbox: Sandbox, run: Run) -> None:
    """What a child reads, and that it ran, cannot be seen by another one."""
    if "no access times" not in sandbox.isolation:
        pytest.skip("this system grants no mount namespace, without which docs/security.md does not promise this")
    file, before = next(
        (path, found.st_atime_ns)
        for path in Path(sysconfig.get_path("stdlib")).rglob("*.py")
        if (found := path.stat()).st_atime_ns <= found.st_mtime_ns  # so that reading would set it
    )
    outcome = run(f"open({str(file)!r}).read(); send(b'read'); send(str(os.path.exists('/proc/self')).encode())")
    assert outcome.frames == (b"read", b"False")
    assert file.stat().st_atime_ns == before
    file.read_bytes()
    assert file.stat().st_atime_ns > before  # the file system does set it


def test_nothing_of_the_graders_environment_is_inherited(entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of the grader's, which may hold keys, are not passed on."""
    monkeypatch.setenv("A_KEY_OF_THE_GRADER", "secret")
    with Sandbox(entry=entry) as sandbox:
        assert sandbox.run(b"send(str('A_KEY_OF_THE_GRADER' in os.environ).encode())").frames == (b"False",)


def test_no_process_is_left_after_a_run(run: Run) -> None:
    """The child is dead and reaped when its outcome is there, however it ended."""
    run("[threading.Thread(target=time.sleep, args=(60,)).start() for _ in range(4)]", limits=Limits(wall_seconds=0.5))
    (pid,) = run("send(str(warmed).encode())").frames
    assert len(children(int(pid))) <= 1  # the first process of the PID namespace, which does nothing


# The grader's own failures


def test_warm_process_that_dies_between_runs_is_replaced(entry: str) -> None:
    """Nobody was in it, so nobody is told."""
    with Sandbox(entry=entry) as sandbox:
        (pid,) = sandbox.run(b"send(str(warmed).encode())").frames
        os.kill(int(pid), signal.SIGKILL)
        gone(int(pid))
        assert sandbox.run(b"send(b'on')").frames == (b"on",)


def test_warm_process_that_dies_in_a_run_is_a_fault_and_replaced(entry: str) -> None:
    """The run in flight is the grader's fault; the next one works."""
    with Sandbox(entry=entry) as sandbox:
        (pid,) = sandbox.run(b"send(str(warmed).encode())").frames
        killer = subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -9 {int(pid)}"])
        with pytest.raises(SandboxFault, match="lost"):
            sandbox.run(b"time.sleep(30)")
        killer.wait()
        assert sandbox.run(b"send(b'on')").frames == (b"on",)


def test_child_that_the_system_kills_is_a_fault(entry: str) -> None:
    """Where all memory of a machine is in use, the kernel kills a child, whatever that one did: it is not stopped."""
    with Sandbox(entry=entry) as sandbox:
        (pid,) = sandbox.run(b"send(str(warmed).encode())").frames
        idle = children(int(pid))
        killing = threading.Thread(target=lambda: os.kill(wait_for_child(int(pid), idle), signal.SIGKILL))
        killing.start()
        with pytest.raises(SandboxFault, match="the system killed a run"):
            sandbox.run(b"send(b'kept'); time.sleep(30)")
        killing.join()
        assert sandbox.run(b"send(b'on')").frames == (b"on",)


def gone(pid: int) -> None:
    """Wait for a process's end, though not for long."""
    for _ in range(100):
        try:
            if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.02)
    raise AssertionError(f"process {pid} is still there")


def test_death_of_the_grader_ends_the_warm_process_and_its_children(entry: str) -> None:
    """A grader that is killed leaves nothing running."""
    code = f"""
        from autograder.sandbox import Sandbox
        sandbox = Sandbox(entry={entry!r})
        print(sandbox.run(b"send(str(warmed).encode())").frames[0].decode(), flush=True)
        input()
        sandbox.run(b"time.sleep(30)")
    """
    with python(code) as grader:
        assert grader.stdout is not None
        assert grader.stdin is not None
        warm_process = int(grader.stdout.readline())
        waiting = threading.Timer(0.2, lambda: (grader.stdin.write("\n"), grader.stdin.flush()))
        idle = children(warm_process)
        waiting.start()
        everyone = {wait_for_child(warm_process, idle), *idle, warm_process}
        grader.kill()
        for pid in everyone:
            gone(pid)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ImportError('no torch here')", "no torch here"),
        ("import threading, time; threading.Thread(target=time.sleep, args=(9,), daemon=True).start()", "threads"),
        ("import mmap; keep.append(mmap.mmap(-1, 4096))", "shared memory"),
        ("import os; os._exit(1)", "lost"),
        ("from autograder.sandbox import seccomp; seccomp.enforce = lambda program: None", "could .*start a process"),
        ("from autograder.sandbox import landlock; landlock.enforce = lambda ruleset: None", "could .*read /"),
        ("from autograder.sandbox import landlock; landlock.enforce = None", "could not be confined"),
        ("from autograder.sandbox import libc; libc.prctl = None", "cannot be confined here"),
        ("from autograder.sandbox import landlock; landlock.abi = lambda: 0", "no Landlock"),
        ("from autograder.sandbox import seccomp; seccomp.architecture = lambda: None", "no seccomp"),
        ("import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))", "1024 MiB of address space"),
    ],
)
def test_sandbox_that_is_not_sound_runs_nothing_and_says_why_in_a_line(
    body: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warm process that fails, is unsafe to fork, or from which the canary gets out is a fault with its reason."""
    monkeypatch.syspath_prepend(tmp_path)
    code = f"keep = []\ndef warm():\n    {body}\ndef main(payload, send):\n    send(b'ran')\n"
    (tmp_path / "unsound_entry.py").write_text(code)
    with Sandbox(entry="unsound_entry") as sandbox, pytest.raises(SandboxFault, match=reason) as fault:
        sandbox.run(b"")
    assert "\n" not in str(fault.value)


def test_secret_that_can_be_read_is_named_and_nothing_runs(entry: str, tmp_path: Path) -> None:
    """Wherever the files of this run lie, the canary tries them: one in `site-packages` is readable."""
    hidden = tmp_path / "hidden.py"
    hidden.touch()
    with Sandbox(entry=entry, secrets=[hidden, tmp_path]) as sandbox:
        assert sandbox.run(b"send(b'ran')").frames == (b"ran",)
    readable = Path(pytest.__file__).resolve()
    deeds = f"could list {readable.parent}, read {readable}$"
    with Sandbox(entry=entry, secrets=[hidden, readable]) as sandbox, pytest.raises(SandboxFault, match=deeds):
        sandbox.run(b"send(b'ran')")


# Other systems


TAKE_AWAY = """
import ctypes, struct
from autograder.sandbox import libc
def take_away(number):  # a system call, from this process and all that it starts
    rules = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x50000 | 38), (0x06, 0, 0, 0x7FFF0000)]
    code = b"".join(struct.pack("=HBBI", *rule) for rule in rules)
    libc.prctl(38, 1)
    libc.prctl(22, 2, struct.pack("@HP", 4, ctypes.cast(code, ctypes.c_void_p).value))
"""
NO_NAMESPACES = TAKE_AWAY + f"take_away({ {'x86_64': 272, 'aarch64': 97}[os.uname().machine] })\n"
FEW_DESCRIPTORS = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))\n"
CONTAINER = """
from autograder.sandbox import libc
CAP_SYS_ADMIN = 21
libc.prctl(24, CAP_SYS_ADMIN)  # PR_CAPBSET_DROP
libc.set_capabilities(libc.capabilities() & ~(1 << CAP_SYS_ADMIN))
"""

SYSTEMS = {"as it is": ("", "seccomp"), "no namespaces": (NO_NAMESPACES, "seccomp")}
if os.geteuid() == 0 and libc.capabilities() >> 21 & 1:
    SYSTEMS |= {
        "no namespaces": (NO_NAMESPACES, "seccomp, own uid"),
        "root in a container": (CONTAINER, "seccomp, own uid"),
        "an ordinary user": (ORDINARY_USER, "seccomp"),
        "an ordinary user without namespaces": (ORDINARY_USER + NO_NAMESPACES + FEW_DESCRIPTORS, "seccomp"),
    }


@pytest.mark.parametrize(("prelude", "layers"), SYSTEMS.values(), ids=SYSTEMS)
def test_sandbox_holds_on_other_systems(prelude: str, layers: str) -> None:
    """With fewer rights the sandbox keeps Landlock and seccomp, its limits and its kills; the canary sees to it."""
    code = f"""
        import sys, tempfile
        from pathlib import Path
        from autograder.sandbox import Limits, Sandbox
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "entry.py").write_text({ENTRY!r})
            sys.path.insert(0, folder)
            with Sandbox(entry="entry") as sandbox:
                print(sandbox.isolation)
                for code in {OTHER_SYSTEMS_RUNS!r}:
                    outcome = sandbox.run(code.encode(), limits=Limits(cpu_seconds=1, wall_seconds=5))
                    print(outcome.ending, outcome.exit_code, outcome.frames)
    """
    with python(prelude + textwrap.dedent(code)) as grader:
        said, _ = grader.communicate(timeout=60)
    reached, *outcomes = said.splitlines()
    assert reached.startswith("landlock ")
    assert layers in reached
    assert "namespaces" not in reached or prelude in ("", ORDINARY_USER)
    finished, raised, timed, spent, reopened = outcomes
    assert finished.startswith("finished")
    assert raised == "stopped 1 ()"
    assert timed == f"stopped {-signal.SIGPROF} ()"
    assert spent == f"stopped {-signal.SIGKILL} ()"
    assert reopened.startswith("finished")
    assert "other" not in reopened


OTHER_SYSTEMS_RUNS = (
    "import colorsys; send(b'')",
    "1 / 0",
    "signal.setitimer(signal.ITIMER_PROF, 0.1)\nwhile True: pass",
    "while True: pass",
    # Where /proc is there, what is inherited can be opened anew: the null device and the child's own frames.
    "import stat\n"
    "for descriptor in range(64):\n"
    "    try: mode = os.fstat(os.open(f'/proc/self/fd/{descriptor}', os.O_WRONLY)).st_mode\n"
    "    except OSError: continue\n"
    "    send(b'own' if stat.S_ISCHR(mode) or stat.S_ISFIFO(mode) else b'other')",
)


def test_system_without_landlock_is_refused_in_a_line(entry: str) -> None:
    """Where the kernel has no Landlock nothing is run, and the message says so."""
    code = f"""
        take_away(444)
        from autograder.sandbox import Sandbox, SandboxFault
        try:
            Sandbox(entry={entry!r}).run(b"")
        except SandboxFault as fault:
            print(fault)
    """
    with python(TAKE_AWAY + textwrap.dedent(code)) as grader:
        said, _ = grader.communicate(timeout=60)
    assert said.count("\n") == 1
    assert "Landlock" in said


def python(code: str) -> subprocess.Popen[str]:
    """Another interpreter that runs *code* and imports from where this one does."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def test_elsewhere_than_on_linux_a_line_says_that_there_is_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another system grades nothing."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SandboxFault, match="on Linux only"):
        Sandbox()


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 6, 7, 99])
def test_ruleset_is_accepted_whatever_landlocks_version(version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each version is asked for the rights that it knows; a later one for those that this module knows."""
    known = landlock.abi()
    monkeypatch.setattr(landlock, "abi", lambda: min(version, known) if version < 99 else version)
    os.close(landlock.build(readable=policy.readable(), writable=policy.WRITABLE))


# The program that the kernel runs


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_program_allows_the_policys_calls_and_no_others(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On every architecture, also those that this machine is not, the program decides as the policy says."""
    monkeypatch.setattr(platform, "machine", lambda: machine)
    architecture = seccomp.architecture()
    assert architecture is not None
    program = seccomp.assemble(architecture, policy.CALLS)
    names = {number: name for name, number in architecture.numbers.items()}

    def decide(number: int, *arguments: int, audit: int = architecture.audit) -> int:
        return evaluate(program, struct.pack("=IIQ6Q", number, audit, 0, *arguments, *[0] * (6 - len(arguments))))

    for number in range(500):
        if policy.CALLS.get(names.get(number, "")) == ():
            assert decide(number) == ALLOW
        elif number not in names:
            assert decide(number) == ERRNO | (errno.EPERM if number < 424 else errno.ENOSYS)
    numbers = architecture.numbers
    assert decide(numbers["clone"], 0x3D0F00) == ALLOW
    for flags in (0, signal.SIGCHLD, 0x3D0F00 | 0x1000_0000, 0x3D0F00 & ~0x10000):
        assert decide(numbers["clone"], flags) == ERRNO | errno.EPERM
    assert decide(numbers["prlimit64"], 0, 7, 0, 1 << 40) == ALLOW
    for arguments in ((1, 7, 0), (0, 7, 1), (0, 7, 1 << 40)):
        assert decide(numbers["prlimit64"], *arguments) == ERRNO | errno.EPERM
    assert decide(numbers["openat"], 0, 0, os.O_RDONLY | os.O_CLOEXEC) == ALLOW
    assert decide(numbers["openat"], 0, 0, os.O_RDONLY | os.O_TRUNC) == ERRNO | errno.EPERM
    assert decide(numbers["futex"], 0, 129) == ALLOW  # a private wake
    assert decide(numbers["futex"], 0, 1) == ERRNO | errno.EPERM
    assert decide(numbers["read"], audit=0x4000_0003) == KILL  # 32-bit x86


def test_foreign_calling_convention_is_killed() -> None:
    """On x86_64, x32's numbers do not slip through."""
    architecture = seccomp.Architecture(audit=1, numbers={"read": 0}, foreign=0x4000_0000)
    program = seccomp.assemble(architecture, {"read": ()})
    assert evaluate(program, struct.pack("=IIQ6Q", 0, 1, *[0] * 7)) == ALLOW
    assert evaluate(program, struct.pack("=IIQ6Q", 0x4000_0000, 1, *[0] * 7)) == KILL


ALLOW, ERRNO, KILL = 0x7FFF_0000, 0x0005_0000, 0x8000_0000


def evaluate(program: bytes, data: bytes) -> int:
    """What a seccomp program returns for one call, by the rules of classic BPF."""
    code = list(struct.iter_unpack("=HBBI", program))
    accumulator = place = 0
    while True:
        operation, yes, no, operand = code[place]
        place += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, operand)
        elif operation == 0x54:
            accumulator &= operand
        elif operation == 0x15:
            place += yes if accumulator == operand else no
        elif operation == 0x35:
            place += yes if accumulator >= operand else no
        else:
            assert operation == 0x06
            return int(operand)


# Frames


def test_parse_leaves_out_a_frame_that_was_cut() -> None:
    """A pipe that ends in the middle of a header or a frame gives the frames before it, and is not finished."""
    whole = b"\0\0\0\3one" + b"\0\0\0\3two" + END
    assert box.frames(whole, 2) == ((b"one", b"two"), True)
    assert box.frames(whole, 1) == ((b"one",), False)
    assert box.frames(whole + b"x", 2) == ((b"one", b"two"), False)
    for cut in range(1, 12):
        expected = (b"one", b"two") if cut <= 4 else (b"one",)
        assert box.frames(whole[:-cut], 2) == (expected, False)
