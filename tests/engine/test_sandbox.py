"""The sandbox: what a run comes to, what a child cannot do, and what it cannot do to those that follow."""

from __future__ import annotations

import errno
import os
import platform
import signal
import struct
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.sandbox import (
    Limits,
    Outcome,
    Sandbox,
    SandboxFault,
    frames,
    landlock,
    libc,
    policy,
    seccomp,
    syscalls,
)
from autograder.sandbox.session import Session

ENTRY = """
import os, resource, signal, socket, sys, threading, time

warmed = os.getpid()

def warm():
    pass

def main(payload, send):
    exec(payload.decode(), {"send": send, **globals()})
"""
"""An entry whose payload is the student's code; `send` sends a frame."""

SMALL = Limits(wall_seconds=10, cpu_seconds=10, memory_bytes=256 << 20, threads=8, frames_bytes=1 << 20)

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
        return sandbox.run(textwrap.dedent(code).encode(), limits=limits, capture=True)

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
    assert outcome.frames == (b"one", b"", bytes(300_000))
    assert (outcome.ending, outcome.exit_code, outcome.signal) == ("finished", None, None)


def test_output_is_captured_without_loss_of_order(run: Run) -> None:
    """Standard output and error come back as one text."""
    assert run("print('가'); print('나', file=sys.stderr); print('다')").printed.decode() == "가\n나\n다\n"


def test_output_is_dropped_unless_captured(sandbox: Sandbox) -> None:
    """Without capture nothing printed is kept."""
    assert sandbox.run(b"print('x')").printed == b""


def test_run_that_breaks_its_output_streams_still_finishes(run: Run) -> None:
    """What student code makes of `sys.stdout` does not change how its run ended."""
    assert run("print('x', end=''); sys.stdout = None; sys.stderr = 5").ending == "finished"


def test_exception_is_a_crash_that_keeps_its_frames(run: Run) -> None:
    """An entry that raises has crashed; its traceback is output and its frames count."""
    outcome = run("send(b'kept'); 1 / 0")
    assert (outcome.ending, outcome.exit_code, outcome.frames) == ("crashed", 1, (b"kept",))
    assert b"ZeroDivisionError" in outcome.printed


@pytest.mark.parametrize("code", [0, 7])
def test_early_exit_is_a_crash(run: Run, code: int) -> None:
    """A child that leaves before the entry returns has crashed, even with exit code 0."""
    outcome = run(f"send(b'kept'); os._exit({code})")
    assert (outcome.ending, outcome.exit_code, outcome.frames) == ("crashed", code, (b"kept",))


def test_segmentation_fault_is_a_crash_that_keeps_frames_and_lines(run: Run) -> None:
    """What was sent and printed before a fatal signal is not lost."""
    outcome = run("import ctypes; send(b'kept'); print('line'); ctypes.string_at(0)")
    assert (outcome.ending, outcome.signal, outcome.frames) == ("crashed", signal.SIGSEGV, (b"kept",))
    assert outcome.printed == b"line\n"


def test_forged_bytes_in_the_pipe_stay_the_childs_own_result(run: Run) -> None:
    """Garbage in the result pipe is a frame cut off, never a fault of the grader."""
    outcome = run("send(b'kept'); os.write(3, b'\\x00\\x00\\x00\\x09cut'); os._exit(0)")
    assert (outcome.ending, outcome.frames) == ("crashed", (b"kept",))


def test_a_signal_handler_that_raises_does_not_cut_a_frame(run: Run) -> None:
    """An alarm that goes off while frames are sent interrupts between frames, not inside one."""
    outcome = run("""
        class Overtime(Exception): pass
        def overtime(*_): raise Overtime
        signal.signal(signal.SIGALRM, overtime)
        for _ in range(20):
            signal.setitimer(signal.ITIMER_REAL, 0.002)
            try:
                while True:
                    send(bytes(30_000))
            except Overtime:
                pass
    """, limits=Limits(wall_seconds=20, frames_bytes=1 << 30))  # fmt: skip
    assert outcome.ending == "finished"
    assert set(outcome.frames) == {bytes(30_000)}


# Limits


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "time.sleep(60)",
        "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()); time.sleep(60)",
        "os.close(3); time.sleep(60)",
        "while True: os.write(1, bytes(65536))",
        "[threading.Thread(target=time.sleep, args=(60,)).start() for _ in range(4)]; time.sleep(60)",
    ],
)
def test_endless_run_is_ended_in_time(run: Run, code: str) -> None:
    """Whatever a child does with its time, it is over within a second of its limit."""
    begun = time.monotonic()
    outcome = run(f"send(b'kept'); {code}" if "while" not in code else f"send(b'kept')\n{code}", limits=Limits(0.3))
    assert time.monotonic() - begun < 1.3
    assert (outcome.ending, outcome.signal, outcome.frames) == ("timed-out", signal.SIGKILL, (b"kept",))


def test_processor_time_is_limited(run: Run) -> None:
    """A child that burns its processor time has timed out before the wall clock says so."""
    outcome = run("while True: pass", limits=Limits(wall_seconds=20, cpu_seconds=1))
    assert outcome.ending == "timed-out"
    assert outcome.seconds < 5


def test_memory_is_limited(run: Run) -> None:
    """Too much memory is a MemoryError in the child, which goes on."""
    outcome = run("""
        try:
            bytes(512 << 20)
        except MemoryError:
            send(b'refused')
        import mmap
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


def test_output_is_cut_and_the_child_goes_on(run: Run) -> None:
    """A flood of output is cut at its limit; it does not change the result."""
    outcome = run("print('x' * 5_000_000); send(b'done')", limits=Limits(output_bytes=1000))
    assert (outcome.ending, outcome.frames, outcome.printed) == ("finished", (b"done",), b"x" * 1000)


def test_flood_of_frames_ends_the_child(run: Run) -> None:
    """Frames beyond the limit end the child; the complete ones before count."""
    outcome = run("while True: send(bytes(100_000))")
    assert outcome.ending == "flooded"
    assert outcome.frames == (bytes(100_000),) * 10


def test_frames_up_to_the_limit_are_no_flood(run: Run) -> None:
    """The limit is the frames' bytes with four for each header."""
    assert run("send(bytes(96))", limits=Limits(frames_bytes=100)).ending == "finished"
    assert run("send(bytes(97))", limits=Limits(frames_bytes=100)).ending == "flooded"


def test_threads_run_up_to_their_limit(run: Run) -> None:
    """Threads work, and a bomb of them is refused."""
    outcome = run("""
        done = threading.Event()
        count = 0
        try:
            while count < 200:
                threading.Thread(target=done.wait, daemon=True).start()
                count += 1
        except RuntimeError:
            pass
        send(str(count).encode())
    """)
    assert outcome.ending == "finished"
    assert 4 <= int(outcome.frames[0]) <= SMALL.threads + 2


def test_descriptors_are_limited(run: Run) -> None:
    """A child cannot hoard descriptors."""
    assert refused(run, "hoard = [open('/dev/null') for _ in range(100)]")


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
        "__import__('fcntl').ioctl(1, 0x5412, b'x')",
        "os.readlink('/proc/self/exe')",
    ],
)
def test_attempt_is_refused(run: Run, attempt: str) -> None:
    """Each way out is an ordinary error for the code that tries it."""
    assert refused(run, attempt)


def test_a_file_of_the_graders_is_unreadable(run: Run, tmp_path: Path) -> None:
    """A hidden grader cannot be read, imported or listed, whatever its modes say."""
    (tmp_path / "hidden_grader.py").write_text("answer = 42")
    assert refused(run, f"open({str(tmp_path / 'hidden_grader.py')!r})")
    assert refused(run, f"os.listdir({str(tmp_path)!r})")
    outcome = run(f"sys.path.insert(0, {str(tmp_path)!r})\ntry: import hidden_grader\nexcept ImportError: send(b'no')")
    assert outcome.frames == (b"no",)


def test_this_repository_is_unreadable(run: Run) -> None:
    """Neither these tests nor the engine's source can be opened."""
    assert refused(run, f"open({__file__!r})")
    assert refused(run, f"open({policy.__file__!r})")


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
    """What the warm process has not imported can be imported, and output can be thrown away."""
    outcome = run("""
        import colorsys, sqlite3, zoneinfo
        open(os.devnull, 'w').write('x')
        os.urandom(8), zoneinfo.ZoneInfo('Asia/Seoul')
    """)
    assert (outcome.ending, outcome.printed) == ("finished", b"")


def test_standard_input_is_empty(run: Run) -> None:
    """`input()` finds the end of the file."""
    assert run("try: input()\nexcept EOFError: send(b'end')").frames == (b"end",)


def test_only_the_descriptors_that_a_child_needs_are_open(run: Run) -> None:
    """Beside the standard ones: its frames, its orders, its payload. None leads to the warm process's grader."""
    outcome = run("""
        import stat
        for descriptor in range(1000):
            try: mode = os.fstat(descriptor).st_mode
            except OSError: continue
            send(f"{descriptor if descriptor < 4 else '+'} {stat.filemode(mode)[0]}".encode())
    """)
    assert sorted(outcome.frames) == [b"+ -", b"+ s", b"0 c", b"1 p", b"2 p", b"3 p"]


# Several payloads in one child


@pytest.fixture
def session(sandbox: Sandbox) -> Iterator[Session]:
    with sandbox.session(limits=SMALL, capture=True) as session:
        assert isinstance(session, Session)
        yield session


def test_child_goes_on_with_the_next_payload(session: Session) -> None:
    """What one payload leaves behind in the child is there for the next, and each has frames of its own."""
    assert session.run(b"sys.planted = os.getpid(); send(b'one')").frames == (b"one",)
    outcome = session.run(b"send(str(sys.planted == os.getpid()).encode())")
    assert (outcome.frames, outcome.ending) == ((b"True",), "finished")


def test_output_is_kept_of_the_first_payload_only(session: Session) -> None:
    """What is printed later may tell of payloads that nobody is to see, by whatever descriptor it comes."""
    first = session.run(b"print('seen'); sys.copy = os.dup(1)")
    later = session.run(b"print('hidden'); os.write(sys.copy, b'hidden')")
    assert (first.printed, later.printed) == (b"seen\n", b"")


def test_first_payload_that_says_it_is_done_learns_nothing_that_it_can_print(session: Session) -> None:
    """Code that speaks for the child gets its output sealed before the next payload is there."""
    first = session.run(
        textwrap.dedent("""
            import stat
            def find(kind):
                for descriptor in range(4, 100):
                    try: mode = os.fstat(descriptor).st_mode
                    except OSError: continue
                    if kind(mode): return descriptor
            orders, payload = find(stat.S_ISSOCK), find(stat.S_ISREG)
            own = os.pread(payload, 10_000, 0)
            print('before', flush=True)
            os.write(orders, b'\x02')
            while os.pread(payload, 10_000, 0) in (own, b''):
                time.sleep(0.01)
            print(os.pread(payload, 10_000, 0), flush=True)
            send(os.pread(payload, 10_000, 0))
            time.sleep(60)
        """).encode()
    )
    assert (first.printed, first.frames, first.ending) == (b"before\n", (), "finished")
    later = session.run(b"# a secret", 1.0)
    assert (later.printed, later.ending) == (b"", "timed-out")


def test_payload_cannot_be_changed_by_the_child(session: Session) -> None:
    """It is open for reading, and by a description of its own: the next payload is what the grader wrote."""
    outcome = session.run(
        textwrap.dedent("""
            import mmap, stat
            for descriptor in range(4, 100):
                try: mode = os.fstat(descriptor).st_mode
                except OSError: continue
                if stat.S_ISREG(mode):
                    os.lseek(descriptor, 1 << 20, os.SEEK_SET)
                    for attempt in (lambda: os.write(descriptor, b'x'), lambda: mmap.mmap(descriptor, 10)):
                        try: attempt()
                        except OSError: send(b'refused')
        """).encode()
    )
    assert outcome.frames == (b"refused", b"refused")
    assert session.run(b"send(b'two')").frames == (b"two",)


def test_what_is_sent_between_two_payloads_belongs_to_none(session: Session) -> None:
    """Threads that go on after their payload is done spoil no frame of the next."""
    first = session.run(
        b"threading.Timer(0.05, lambda: (send(b'late'), print('late'), os.write(1, bytes(1000)))).start()"
    )
    time.sleep(0.2)
    later = session.run(b"send(b'own')")
    assert (first.frames, first.printed, later.frames, later.printed) == ((), b"", (b"own",), b"")


def test_time_is_each_payloads_own(session: Session) -> None:
    """A payload that takes too long ends the child, and what came before it stands."""
    assert session.run(b"time.sleep(0.3)", 0.5).ending == "finished"
    assert session.run(b"time.sleep(0.3)", 0.5).ending == "finished"
    outcome = session.run(b"send(b'kept'); time.sleep(60)", 0.3)
    assert (outcome.ending, outcome.frames) == ("timed-out", (b"kept",))


@pytest.mark.parametrize("end", ["os._exit(0)", "import ctypes; ctypes.string_at(0)", "1 / 0"])
def test_child_that_has_ended_runs_nothing_more(session: Session, end: str) -> None:
    """However it ended, the next payload's outcome is a crash, not a fault, and the sandbox goes on."""
    assert session.run(end.encode()).ending == "crashed"
    outcome = session.run(b"send(b'x')")
    assert (outcome.ending, outcome.frames) == ("crashed", ())


def test_child_that_ends_between_two_payloads_is_a_crash(session: Session) -> None:
    """A thread may end the process while it waits."""
    assert session.run(b"threading.Timer(0.05, lambda: os._exit(3)).start()").ending == "finished"
    time.sleep(0.2)
    outcome = session.run(b"send(b'x')")
    assert (outcome.ending, outcome.exit_code) == ("crashed", 3)


def test_cost_of_a_child_is_known_while_it_lives_and_after(sandbox: Sandbox) -> None:
    """Its processor time grows with what it does."""
    with sandbox.session() as session:
        assert isinstance(session, Session)
        session.run(b"")
        before = session.cpu_seconds
        session.run(b"begun = time.process_time()\nwhile time.process_time() < begun + 0.2: pass")
        assert 0.2 <= session.cpu_seconds - before < 0.3
        alive = session.cpu_seconds
    assert alive <= session.cpu_seconds + 0.01 < alive + 0.2


# What is left for the next run


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


def test_nothing_of_the_graders_environment_is_inherited(entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of the grader's, which may hold keys, are not passed on."""
    monkeypatch.setenv("A_KEY_OF_THE_GRADER", "secret")
    with Sandbox(entry=entry) as sandbox:
        assert sandbox.run(b"send(str('A_KEY_OF_THE_GRADER' in os.environ).encode())").frames == (b"False",)


def test_no_process_is_left_after_a_run(run: Run) -> None:
    """The child is dead and reaped when its outcome is there, however it ended."""
    run("[threading.Thread(target=time.sleep, args=(60,)).start() for _ in range(4)]", limits=Limits(0.2))
    (pid,) = run("send(str(warmed).encode())").frames
    assert Path(f"/proc/{int(pid)}/task/{int(pid)}/children").read_text() == ""


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
        with pytest.raises(SandboxFault, match="died"):
            sandbox.run(b"time.sleep(30)")
        killer.wait()
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


def test_death_of_the_grader_ends_the_warm_process_and_its_child(entry: str) -> None:
    """A grader that is killed leaves nothing running."""
    code = f"""
        from autograder.sandbox import Sandbox
        sandbox = Sandbox(entry={entry!r})
        print(sandbox.run(b"send(str(warmed).encode())").frames[0].decode(), flush=True)
        sandbox.run(b"time.sleep(30)")
    """
    with python(code) as grader:
        assert grader.stdout is not None
        warm_process = int(grader.stdout.readline())
        children = Path(f"/proc/{warm_process}/task/{warm_process}/children")
        while not (child := children.read_text().strip()):
            time.sleep(0.01)
        grader.kill()
        gone(int(child))
        gone(warm_process)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ImportError('no torch here')", "no torch here"),
        ("import threading, time; threading.Thread(target=time.sleep, args=(9,), daemon=True).start()", "threads"),
        ("import mmap; keep.append(mmap.mmap(-1, 4096))", "shared memory"),
        ("import os; os._exit(1)", "could not start"),
    ],
)
def test_unfit_warm_process_is_a_fault_with_its_reason(leaky: Callable[[str], Sandbox], body: str, reason: str) -> None:
    """A warm process that fails or is unsafe to fork is refused, and the reason told."""
    with leaky(body) as sandbox, pytest.raises(SandboxFault, match=reason):
        sandbox.run(b"")


@pytest.mark.parametrize(
    ("body", "deed"),
    [
        ("seccomp.enforce = lambda program: None", "start a process"),
        ("landlock.enforce = lambda ruleset: None", "read a file of the grader's"),
    ],
)
def test_canary_that_gets_out_is_a_fault(leaky: Callable[[str], Sandbox], body: str, deed: str) -> None:
    """If a layer does not hold, no student code is run, and the message says what was possible."""
    with leaky(f"from autograder.sandbox import landlock, seccomp; {body}") as sandbox:
        with pytest.raises(SandboxFault, match=f"{deed}.*") as fault:
            sandbox.run(b"")
        assert "--isolation=process" in str(fault.value)


def test_step_of_confinement_that_fails_is_a_fault(leaky: Callable[[str], Sandbox]) -> None:
    """A child that cannot confine itself runs nothing."""
    body = "from autograder.sandbox import libc; libc.set_capabilities = None"
    with leaky(body) as sandbox, pytest.raises(SandboxFault, match="could not be confined"):
        sandbox.run(b"")


@pytest.fixture
def leaky(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Sandbox]:
    """A sandbox whose warm process does something at its start."""
    monkeypatch.syspath_prepend(tmp_path)

    def leaky(body: str) -> Sandbox:
        code = f"keep = []\ndef warm():\n    {body}\ndef main(payload, send):\n    send(b'ran')\n"
        (tmp_path / "leaky_entry.py").write_text(code)
        return Sandbox(entry="leaky_entry")

    return leaky


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
CONTAINER = """
from autograder.sandbox import libc
CAP_SYS_ADMIN = 21
libc.prctl(24, CAP_SYS_ADMIN)  # PR_CAPBSET_DROP
libc.set_capabilities(libc.capabilities() & ~(1 << CAP_SYS_ADMIN))
"""
ORDINARY_USER = """
import os, sys
from autograder.sandbox import libc
NEWNS, BIND, PRIVATE, RECURSIVE = 0x20000, 1 << 12, 1 << 18, 1 << 14
above = [sys.base_prefix[:i] for i, letter in enumerate(sys.base_prefix) if letter == "/" and i] + [sys.base_prefix]
closed = [folder for folder in above if not os.stat(folder).st_mode & 1]
libc.call("unshare", NEWNS)
libc.call("mount", b"none", b"/", None, PRIVATE | RECURSIVE, None)
interpreter = os.open(sys.base_prefix, os.O_PATH)
if closed:  # the interpreter lies in a home that only its owner enters: show it to everyone, in this process only
    libc.call("mount", b"none", closed[0].encode(), b"tmpfs", 0, b"mode=755")
    os.makedirs(sys.base_prefix, exist_ok=True)
    libc.call("mount", b"/proc/self/fd/%d" % interpreter, sys.base_prefix.encode(), None, BIND, None)
os.setgroups([]); os.setgid(12345); os.setuid(12345)
libc.prctl(4, 1)  # PR_SET_DUMPABLE: be like a process that was never root
"""

SYSTEMS = {"as it is": ("", "seccomp"), "no namespaces": (NO_NAMESPACES, "seccomp")}
if os.geteuid() == 0 and libc.capabilities() >> 21 & 1:
    SYSTEMS |= {
        "no namespaces": (NO_NAMESPACES, "seccomp, own uid"),
        "root in a container": (CONTAINER, "seccomp, own uid"),
        "an ordinary user": (ORDINARY_USER, "seccomp"),
        "an ordinary user without namespaces": (ORDINARY_USER + NO_NAMESPACES, "seccomp"),
    }


@pytest.mark.parametrize(("prelude", "layers"), SYSTEMS.values(), ids=SYSTEMS)
def test_sandbox_holds_on_other_systems(prelude: str, layers: str) -> None:
    """With fewer rights the sandbox keeps Landlock and seccomp, its limits and its kills; the canary sees to it."""
    code = """
        import sys, tempfile
        from pathlib import Path
        from autograder.sandbox import Limits, Sandbox
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "entry.py").write_text("def warm(): pass\\ndef main(code, send): exec(code, {'send': send})")
            sys.path.insert(0, folder)
            with Sandbox(entry="entry") as sandbox:
                print(sandbox.isolation)
                print(sandbox.run(b"import colorsys; send(b'')").ending, sandbox.run(b"1/0").ending)
                print(sandbox.run(b"while True: pass", limits=Limits(0.2)).ending)
    """
    with python(prelude + textwrap.dedent(code)) as grader:
        said, _ = grader.communicate(timeout=60)
    reached, *endings = said.splitlines()
    assert reached.startswith("landlock ")
    assert layers in reached
    assert "namespaces" not in reached or prelude in ("", ORDINARY_USER)
    assert endings == ["finished crashed", "timed-out"]


def test_system_without_landlock_is_refused_with_a_way_out() -> None:
    """Where there is no Landlock nothing is run, and the message names the option that runs without it."""
    code = """
        take_away(444)
        from autograder.sandbox import Sandbox, SandboxFault
        try:
            Sandbox(entry="json").run(b"")
        except SandboxFault as fault:
            print(fault)
    """
    with python(TAKE_AWAY + textwrap.dedent(code)) as grader:
        said, _ = grader.communicate(timeout=60)
    assert "Landlock" in said
    assert "--isolation=process" in said


def python(code: str) -> subprocess.Popen[str]:
    """Another interpreter that runs *code* and imports from where this one does."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True, env=environment
    )


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 6, 7, 99])
def test_ruleset_is_accepted_whatever_landlocks_version(version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each version is asked for the rights that it knows; a later one for those that this module knows."""
    known = landlock.abi()
    monkeypatch.setattr(landlock, "abi", lambda: min(version, known) if version < 99 else version)
    os.close(landlock.build(readable=policy.readable(), writable=policy.WRITABLE))


def test_confinement_costs_at_most_15_milliseconds(sandbox: Sandbox, entry: str) -> None:
    """What a confined run takes beyond one in a bare process; the best of many, since machines are busy."""
    with Sandbox(isolation="process", entry=entry) as bare:
        seconds: dict[str, float] = {"confined": 1.0, "bare": 1.0}
        for _ in range(40):
            for name, box in (("confined", sandbox), ("bare", bare)):
                begun = time.perf_counter()
                assert box.run(b"").ending == "finished"
                seconds[name] = min(seconds[name], time.perf_counter() - begun)
    cost = 1000 * (seconds["confined"] - seconds["bare"])
    print(f"a confined run: {1000 * seconds['confined']:.1f} ms, of which confinement {cost:.1f} ms")
    assert cost <= 15


# Without confinement


def test_process_isolation_says_that_it_is_none(entry: str) -> None:
    """What is missing is told, in the line that goes into every grade."""
    with Sandbox(isolation="process", entry=entry) as sandbox:
        assert "only" in sandbox.isolation
        assert sandbox.run(b"send(b'x')").frames == (b"x",)


def test_process_isolation_still_limits_and_ends_everything(entry: str) -> None:
    """Time and memory are limited, and processes that a child leaves behind are ended with it."""
    with Sandbox(isolation="process", entry=entry) as sandbox:
        code = b"pid = os.fork()\nif not pid: time.sleep(60)\nsend(str(pid).encode())"
        begun = time.monotonic()
        outcome = sandbox.run(code, capture=True)
        assert outcome.ending == "finished"
        assert time.monotonic() - begun < 5
        gone(int(outcome.frames[0]))
        assert sandbox.run(b"time.sleep(60)", limits=Limits(0.2)).ending == "timed-out"
        assert b"MemoryError" in sandbox.run(b"bytes(1 << 33)", capture=True).printed


def test_elsewhere_there_is_no_sandbox_and_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system other than Linux grades nothing unless told to do without a sandbox."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with pytest.raises(SandboxFault, match="--isolation=process"):
        Sandbox()


@pytest.fixture
def plain(entry: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with Sandbox(isolation="process", entry=entry) as sandbox:
        yield sandbox


def test_elsewhere_a_plain_process_gives_the_same_outcome(plain: Sandbox) -> None:
    """Without Linux, one's own file runs in a fresh interpreter: the same frames, output and endings."""
    outcome = plain.run("send(b'one'); print('가'); send(b'two')".encode(), capture=True)
    assert (outcome.frames, outcome.printed.decode(), outcome.ending) == ((b"one", b"two"), "가\n", "finished")
    outcome = plain.run(b"send(b'kept'); 1 / 0", capture=True)
    assert (outcome.frames, outcome.ending, outcome.exit_code) == ((b"kept",), "crashed", 1)
    assert b"ZeroDivisionError" in outcome.printed
    assert plain.run(b"send(b'kept'); os._exit(0)").ending == "crashed"
    assert plain.run(b"send(bytes(100))", limits=Limits(frames_bytes=99)).ending == "flooded"


def test_elsewhere_an_endless_run_is_ended_too(plain: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time limit holds without a sandbox, and what was sent is kept."""
    monkeypatch.setattr("autograder.sandbox.plain.READY_SECONDS", 1.0)
    outcome = plain.run(b"send(b'kept')\nwhile True: pass", limits=Limits(0.2))
    assert (outcome.ending, outcome.frames) == ("timed-out", (b"kept",))


# The program that the kernel runs


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_program_allows_the_policys_calls_and_no_others(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On every architecture, also those that this machine is not, the program decides as the policy says."""
    monkeypatch.setattr(platform, "machine", lambda: machine)
    architecture = syscalls.architecture()
    assert architecture is not None
    program = seccomp.assemble(architecture, free=policy.FREE, conditional=policy.CONDITIONAL)
    names = {number: name for name, number in architecture.numbers.items()}

    def decide(number: int, *arguments: int, audit: int = architecture.audit) -> int:
        return evaluate(program, struct.pack("=IIQ6Q", number, audit, 0, *arguments, *[0] * (6 - len(arguments))))

    for number in range(500):
        if names.get(number) in policy.FREE:
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
    assert decide(numbers["read"], audit=0x4000_0003) == KILL  # 32-bit x86


def test_foreign_calling_convention_is_killed() -> None:
    """On x86_64, x32's numbers do not slip through."""
    architecture = syscalls.Architecture(audit=1, numbers={"read": 0}, foreign=0x4000_0000)
    program = seccomp.assemble(architecture, free={"read"}, conditional={})
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
    """A pipe that ends in the middle of a header or a frame gives the frames before it."""
    reading, writing = os.pipe()
    frames.write_frame(writing, b"one")
    frames.write_frame(writing, b"two")
    os.close(writing)
    with open(reading, "rb") as file:
        whole = file.read()
    assert frames.parse(whole) == ((b"one", b"two"), True)
    for cut in range(1, 7):
        assert frames.parse(whole[:-cut]) == ((b"one",), False)
