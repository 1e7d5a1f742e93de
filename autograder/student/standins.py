"""The machine that students had: what stands in for libraries, devices and a shell that are not here."""

from __future__ import annotations  # student code that is compiled here inherits it

import asyncio.selector_events
import builtins
import contextlib
import dis
import functools
import importlib.abc
import importlib.metadata
import importlib.util
import io
import os
import re
import selectors
import sys
import time
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils.data import DataLoader

from autograder.student import files
from autograder.student.program import RUNNING_MAGICS, of_cell

__all__ = ["DEVICES", "Devices", "Shell", "install", "prepare"]

_SHOWING = """
aim alive_progress altair beartype bokeh clearml codecarbon colorama coloredlogs comet_ml cv2 dash fastprogress google
GPUtil graphviz hiddenlayer icecream imageio ipywidgets japanize_matplotlib jaxtyping koreanize_matplotlib line_profiler
livelossplot loguru matplotlib memory_profiler mlflow neptune nest_asyncio pandas PIL plotly plotnine prettytable
progressbar psutil pydot pynvml rich seaborn structlog swanlab tabulate tensorboard tensorboardX tensorboard_logger
termcolor torchinfo torchsummary torchtyping torchview torchviz typeguard visdom wandb yaspin
"""
SHOWING = frozenset(_SHOWING.split())
"""Packages that draw, log, measure or check types, or let loops nest: nobody looks at what they do while grading."""
_WITHIN_TORCH = ("torch.utils.tensorboard", "torch._dynamo")
"""The beginnings of names of modules like these in torch itself: its log for a board, and its compiler."""
REQUIREMENTS = ("torch", "numpy", "tqdm", "einops", "ipython")
"""What a notebook may compute with. It cannot import what else happens to be installed."""
DEVICES = {"cuda", "mps", "xpu"}
_OF_A_DEVICE = """
Event Stream device empty_cache get_device_name get_device_properties ipc_collect mem_get_info memory_summary nvtx
reset_max_memory_allocated reset_peak_memory_stats set_device stream synchronize
"""
_NUMBERS_OF_A_DEVICE = """
current_allocated_memory current_device driver_allocated_memory max_memory_allocated max_memory_reserved
memory_allocated memory_reserved
"""


class _Silent:
    """Every attribute that it does not have is a `Blank`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Blank()


class Blank(_Silent):
    """A drawing library, a figure, its axes, a logger, a bar: whatever is asked of it, it does nothing."""

    def __init__(self, items: object = None, *more: object) -> None:  # a class that derives from one has more
        self._items = items

    def __call__(self, *args: Any, **kwargs: object) -> Any:
        # What decorates a function leaves it as it is.
        return args[0] if len(args) == 1 and _is_decorated(args[0], sys._getframe(1)) else Blank(*args)

    def __iter__(self) -> Iterator[object]:
        """As many parts as it is unpacked into (`figure, axes = plt.subplots()`), or what it shows (`track(words)`)."""
        frame = sys._getframe(1)
        operation, argument = frame.f_code.co_code[frame.f_lasti : frame.f_lasti + 2]
        if operation == dis.opmap["UNPACK_SEQUENCE"]:
            return iter([Blank()] * argument)
        return iter(self._items) if isinstance(self._items, Iterable) else iter((Blank(), Blank()))

    def __enter__(self) -> Blank:
        return self


def _is_decorated(function: object, frame: types.FrameType) -> bool:
    """Whether no name is bound to *function* yet, as while it is decorated; in `table.apply(f)` one is."""
    if not isinstance(function, types.FunctionType) or function.__name__ == "<lambda>":
        return False
    return all(names.get(function.__name__) is not function for names in (frame.f_locals, frame.f_globals))


_GIVEN = {
    Blank: "getitem setitem exit add radd sub rsub mul rmul truediv rtruediv floordiv mod pow lt le gt ge",
    bool: "bool",
    float: "float",
    int: "int index len",
    str: "format",
}
"""For each type the operations for which a blank gives the empty value of that type."""
for _kind, _operations in _GIVEN.items():
    for _operation in _operations.split():
        setattr(Blank, f"__{_operation}__", lambda *args, kind=_kind: kind())

_nothing = Blank()
"""In the place of a function: it takes anything, and does nothing."""


class _Module(types.ModuleType, _Silent):
    """A package that only draws, logs or displays."""


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds stand-ins for what only shows, and modules that the notebook wrote; hides what is installed by chance."""

    def __init__(self) -> None:
        self.by_chance = _installed_by_chance()

    def find_spec(self, name: str, path: object, target: object = None) -> Any:
        top = name.partition(".")[0]
        if top in SHOWING or name.startswith(_WITHIN_TORCH):
            return importlib.util.spec_from_loader(name, self, is_package=True)
        if (written := files.module(name)) is not None:
            source, is_package = written
            return importlib.util.spec_from_loader(name, _Written(source), is_package=is_package)
        if top in self.by_chance:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        # `ic(x)` of icecream gives x back.
        vars(module)["ic"] = lambda *values: values[0] if len(values) == 1 else values or None


class _Written(importlib.abc.Loader):
    """A module that the notebook wrote itself, as by `%%writefile helpers.py`."""

    def __init__(self, source: bytes) -> None:
        self.source = source

    def exec_module(self, module: types.ModuleType) -> None:
        exec(compile(self.source, module.__name__, "exec"), vars(module))


def _installed_by_chance() -> set[str]:
    """The top-level modules that neither `REQUIREMENTS` nor what these require bring."""
    brought = list(REQUIREMENTS)
    for distribution in brought:  # which grows
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            lines = importlib.metadata.requires(distribution) or []
            brought += {_name(line) for line in lines if "extra ==" not in line} - {*brought}
    by_module = importlib.metadata.packages_distributions()
    return {module for module, owners in by_module.items() if {*brought}.isdisjoint(map(_name, owners))}


def _name(requirement: str) -> str:
    """The name of a distribution in one spelling, without the versions that are required."""
    return re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-")


class Devices(TorchFunctionMode):
    """While it is entered, cuda, mps and xpu mean the CPU."""

    def __torch_function__(
        self, function: Callable[..., Any], types: object, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        if function in _MOVING:
            return args[0]
        return function(*map(_here, args), **{name: _here(value) for name, value in (kwargs or {}).items()})


_MOVING = {torch.Tensor.cuda, torch.Tensor.xpu, torch.Tensor.pin_memory}


def _here(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("torch.cuda."):  # as in `x.type("torch.cuda.LongTensor")`
        return value.replace("cuda.", "")
    name = value.type if isinstance(value, torch.device) else value
    return "cpu" if isinstance(name, str) and name.partition(":")[0] in DEVICES else value


class Shell(_Silent):
    """`get_ipython()`: magics, shell commands and displays that do nothing but write files and run them."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.user_ns = namespace

    def run_cell_magic(self, magic: str, line: str, body: str) -> None:
        if magic in ("writefile", "file"):
            with files.opened(line.split()[-1], "a" if "-a" in line.split() else "w") as file:
                file.write(body)

    def run_line_magic(self, magic: str, line: str, *args: object) -> Any:
        written = files.written(line.split()[-1]) if magic == "run" and line.strip() else None
        code = written.decode() if written is not None else line if magic in RUNNING_MAGICS else ""
        names = sys._getframe(1).f_locals  # the notebook's, but for a magic within a function
        value: Any = Blank()
        for statement in of_cell(0, code):
            if statement.node is not None:  # `%timeit -o f()` is no Python
                exec(statement.code, self.user_ns, names)
                value = names.get("_")
        return value


def _as_it_is(function: Any = None, *args: object, **kwargs: object) -> Any:
    """In the place of what compiles a function, or marks it to be compiled: the function stays as it is."""
    return _as_it_is if function is None else function


class _Selector(selectors.SelectSelector):
    """Looks again and again whether a thread has something for the event loop, since none can wake it."""

    def select(self, timeout: float | None = None) -> Any:
        return super().select(0.01 if timeout is None else min(timeout, 0.01))


def _task(coroutine: Any, *, _create: Callable[..., Any] = asyncio.create_task, **kwargs: Any) -> Any:
    """`asyncio.create_task`: in a notebook the loop always runs; here, until something is awaited the task waits."""
    try:
        return _create(coroutine, **kwargs)
    except RuntimeError:
        return asyncio.get_event_loop().create_task(coroutine, **kwargs)


_slept = 0.0


def _sleep(seconds: Any) -> None:
    """`time.sleep`: it is over at once, but the clocks go on as if it had not been."""
    global _slept
    _slept += max(0.0, float(seconds))


def _by_the_clock(clock: Callable[[], float]) -> float:
    return clock() + _slept


def prepare() -> None:
    """Put stand-ins in their places: once, in the warm process."""
    sys.meta_path.insert(0, _Finder())
    import IPython.display
    import tqdm

    vars(tqdm).update(tqdm_notebook=tqdm.tqdm, tnrange=tqdm.trange)
    for name in ("notebook", "auto", "autonotebook", "rich"):
        sys.modules[f"tqdm.{name}"] = vars(tqdm)[name] = tqdm
    IPython.display.display = _nothing
    vars(importlib.import_module("pdb")).update(set_trace=_nothing)  # which `breakpoint()` calls
    builtins.input = lambda *prompt: ""
    time.sleep = _sleep
    for name in ("time", "monotonic", "perf_counter"):
        setattr(time, name, functools.partial(_by_the_clock, getattr(time, name)))
    # A run has one core, and a large machine's number of threads is more than it may have.
    torch.set_num_threads = torch.set_num_interop_threads = _nothing
    # Event loops do without the socket by which threads would wake them: there are no sockets here.
    selectors.DefaultSelector = _Selector  # type: ignore[misc, assignment]
    asyncio.create_task = _task  # type: ignore[assignment]
    for name in ("_make_self_pipe", "_close_self_pipe", "_write_to_self"):
        setattr(asyncio.selector_events.BaseSelectorEventLoop, name, _nothing)
    # Any training would import the compiler, which takes longer than a run; and what is compiled is no layer any more.
    torch.compile = torch.jit.script = torch.jit.trace = _as_it_is  # type: ignore[assignment]
    vars(importlib.import_module("torch._dynamo")).update(disable=_as_it_is, allow_in_graph=_as_it_is)
    builtins.open = io.open = files.opened  # type: ignore[assignment]
    os.mkdir = os.chmod = _nothing  # files here need neither folders nor rights
    os.remove = os.unlink = files.removed
    os.rename = os.replace = files.moved  # type: ignore[assignment]
    os.stat, os.listdir = files.described, files.listed  # type: ignore[assignment]
    # Links may not be read, and late imports of torch ask where they lead on the way to an environment.
    os.path.realpath = lambda path, **kwargs: os.path.abspath(path)  # type: ignore[assignment]
    torch.save = _save
    DataLoader.__init__ = _without_workers  # type: ignore[method-assign]
    vars(torch.cuda).update({name: getattr(torch, name) for name in vars(torch.cuda) if name.endswith("Tensor")})
    for module in (torch.cuda, torch.mps, torch.xpu):
        vars(module).update(dict.fromkeys(_OF_A_DEVICE.split(), _nothing))
        vars(module).update(dict.fromkeys(_NUMBERS_OF_A_DEVICE.split(), lambda *args, **kwargs: 0))


def _save(obj: object, f: Any, *args: Any, _save: Callable[..., None] = torch.save, **kwargs: Any) -> None:
    """`torch.save`, which would not open a file as other code does."""
    with contextlib.nullcontext(f) if hasattr(f, "write") else files.opened(f, "wb") as file:
        _save(obj, file, *args, **kwargs)


def _without_workers(self: Any, *args: Any, _init: Callable[..., None] = DataLoader.__init__, **kwargs: Any) -> None:
    """`DataLoader.__init__`, but what is loaded is loaded in this process."""
    for name in ("num_workers", "prefetch_factor", "persistent_workers", "multiprocessing_context", "pin_memory"):
        kwargs.pop(name, None)
    _init(self, *args, **kwargs)


def install(check: Callable[[str], None]) -> dict[str, Any]:
    """Let `import otter` give a recorder that calls *check* with a question's name; return the names every cell has."""

    class Notebook(_Silent):
        """Otter's notebook: `check_all`, `export` and the rest grade nothing."""

        def __init__(self, *args: object, **kwargs: object) -> None: ...

        def check(self, question: str, *args: object, **kwargs: object) -> None:
            check(question)

    otter = types.ModuleType("otter")
    otter.Notebook = Notebook  # type: ignore[attr-defined]
    sys.modules["otter"] = otter
    main = types.ModuleType("__main__")
    namespace = vars(main)
    shell = Shell(namespace)
    namespace.update(grader=Notebook(), get_ipython=lambda: shell, display=_nothing)
    sys.modules["IPython"].get_ipython = namespace["get_ipython"]  # type: ignore[attr-defined]
    sys.modules["__main__"] = main
    return namespace
