"""The machine that students had: what stands in for libraries, devices and a shell that are not here."""

from __future__ import annotations

import asyncio.selector_events
import builtins
import dis
import functools
import importlib.abc
import importlib.metadata
import importlib.util
import io
import selectors
import sys
import time
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from autograder.student import files
from autograder.student.program import of_cell

__all__ = ["DEVICES", "Devices", "Shell", "install", "prepare"]

_SHOWING = """
altair bokeh cv2 dash google graphviz icecream imageio ipywidgets koreanize_matplotlib livelossplot matplotlib mlflow
neptune nest_asyncio pandas PIL plotly plotnine pydot rich seaborn tensorboard tensorboardX tensorboard_logger termcolor
torchinfo torchsummary torchview torchviz visdom wandb
"""
SHOWING = frozenset(_SHOWING.split())
"""Packages that draw, log or display, or let loops nest: nobody looks at what they do while a submission is graded."""
_WITHIN_TORCH = ("torch.utils.tensorboard", "torch._dynamo")
"""The beginnings of names of modules like these in torch itself: its log for a board, and its compiler."""
REQUIREMENTS = ("torch", "numpy", "tqdm", "einops", "ipython")
"""What a notebook may compute with; whatever else is installed beside is not there for it."""
DEVICES = {"cuda", "mps", "xpu"}
_OF_A_DEVICE = """
Event Stream device get_device_name get_device_properties memory_summary reset_peak_memory_stats set_device stream
synchronize
"""


class Blank:
    """A drawing library, a figure, its axes, a logger, a bar: whatever is asked of it, it does nothing."""

    __path__: tuple[str, ...] = ()

    def __init__(self, items: object = None, *more: object) -> None:  # a class that derives from one has more
        self._items = items

    def __getattr__(self, name: str) -> Blank:
        if name.startswith("__"):
            raise AttributeError(name)
        return Blank()

    def __call__(self, *args: object, **kwargs: object) -> Blank:
        return Blank(*args)

    def __getitem__(self, key: object) -> Blank:
        return Blank()

    def __setitem__(self, key: object, value: object) -> None: ...

    def __iter__(self) -> Iterator[object]:
        """As many parts as it is unpacked into (`figure, axes = plt.subplots()`), or what it shows (`track(words)`)."""
        frame = sys._getframe(1)
        operation, argument = frame.f_code.co_code[frame.f_lasti : frame.f_lasti + 2]
        if operation == dis.opmap["UNPACK_SEQUENCE"]:
            return iter([Blank()] * argument)
        return iter(self._items) if isinstance(self._items, Iterable) else iter((Blank(), Blank()))

    def __enter__(self) -> Blank:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def __bool__(self) -> bool:
        return False

    def __float__(self) -> float:
        return 0.0

    def __format__(self, how: str) -> str:
        return ""


for _operation in ["add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "lt", "le", "gt", "ge"]:
    setattr(Blank, f"__{_operation}__", lambda self, other: Blank())


class _Module(types.ModuleType):
    """A package that only draws, logs or displays."""

    __path__: list[str] = []  # noqa: RUF012 - a package has one

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "ic":  # `ic(x)` of icecream gives x back
            return lambda *values: values[0] if len(values) == 1 else values or None
        return Blank()


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds stand-ins for what shows, modules that the notebook wrote, and nothing that is installed by chance."""

    def __init__(self) -> None:
        self.by_chance = _installed_by_chance()

    def find_spec(self, name: str, path: object, target: object = None) -> Any:
        top = name.partition(".")[0]
        if top in SHOWING or name in SHOWING or name.startswith(_WITHIN_TORCH):
            return importlib.util.spec_from_loader(name, self, is_package=True)
        place = name.replace(".", "/")
        for file, package in ((f"{place}.py", False), (f"{place}/__init__.py", True)):
            source = files.written(file)
            if source is not None:
                return importlib.util.spec_from_loader(name, _Written(source), is_package=package)
        if files.is_folder(place):
            return importlib.util.spec_from_loader(name, _Written(b""), is_package=True)
        if top in self.by_chance:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None: ...


class _Written(importlib.abc.Loader):
    """A module that the notebook wrote itself, as by `%%writefile helpers.py`."""

    def __init__(self, source: bytes) -> None:
        self.source = source

    def exec_module(self, module: types.ModuleType) -> None:
        exec(compile(self.source, module.__name__, "exec"), vars(module))


def _installed_by_chance() -> set[str]:
    """The top-level modules of whatever `REQUIREMENTS`, and what they themselves require, do not bring."""
    waiting, distributions = list(REQUIREMENTS), set[str]()
    while waiting:
        name = _normalised(waiting.pop())
        if name in distributions:
            continue
        distributions.add(name)
        try:
            required = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        waiting += [_distribution(line) for line in required if "extra ==" not in line]
    by_module = importlib.metadata.packages_distributions()
    return {module for module, owners in by_module.items() if distributions.isdisjoint(map(_normalised, owners))}


def _normalised(distribution: str) -> str:
    return distribution.lower().replace("_", "-")


def _distribution(requirement: str) -> str:
    return requirement.split(";")[0].split("[")[0].split(" ")[0].rstrip("<>=!~0123456789.,()")


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
    if isinstance(value, torch.device):
        return _CPU if value.type in DEVICES else value
    return "cpu" if isinstance(value, str) and value.partition(":")[0] in DEVICES else value


_CPU = torch.device("cpu")


class Shell:
    """`get_ipython()`: magics, shell commands and displays that do nothing but write files and run them."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.user_ns = namespace

    def run_cell_magic(self, magic: str, line: str, body: str) -> None:
        if magic in ("writefile", "file"):
            with files.opened(line.split()[-1], "a" if "-a" in line.split() else "w") as file:
                file.write(body)

    def run_line_magic(self, magic: str, line: str, *args: object) -> None:
        source = files.written(line.split()[-1]) if magic == "run" and line.strip() else None
        for statement in of_cell(0, source.decode()) if source is not None else ():
            exec(statement.code, self.user_ns)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Blank()


def _nothing(*args: object, **kwargs: object) -> Blank:
    return Blank()


def _as_it_is(function: Any = None, *args: object, **kwargs: object) -> Any:
    """`torch.compile`, and what marks what is to be compiled: nothing is, and what computes is the same."""
    return _as_it_is if function is None else function


def prepare() -> None:
    """Put stand-ins in their places: once, in the warm process."""
    sys.meta_path.insert(0, _Finder())
    import IPython.display
    import tqdm
    from torch.utils.data import DataLoader

    IPython.display.display = _nothing
    for name in ("notebook", "auto", "autonotebook", "rich"):
        module = types.ModuleType(f"tqdm.{name}")
        vars(module).update(tqdm=tqdm.tqdm, trange=tqdm.trange, tqdm_notebook=tqdm.tqdm, tnrange=tqdm.trange)
        sys.modules[module.__name__] = module
        setattr(tqdm, name, module)
    for module, name, value in (
        (tqdm, "tqdm_notebook", tqdm.tqdm),
        (tqdm, "tnrange", tqdm.trange),
        (time, "sleep", _nothing),
    ):
        setattr(module, name, value)
    # Event loops do without the socket by which threads would wake them: there are no sockets here.
    selectors.DefaultSelector = selectors.SelectSelector  # type: ignore[misc, assignment]
    for name in ("_make_self_pipe", "_close_self_pipe", "_write_to_self"):
        setattr(asyncio.selector_events.BaseSelectorEventLoop, name, _nothing)
    torch.compile = _as_it_is  # type: ignore[assignment]
    # Any training would import the compiler, which takes longer than a run.
    dynamo = _Module("torch._dynamo")
    vars(dynamo).update(disable=_as_it_is, allow_in_graph=_as_it_is)
    sys.modules[dynamo.__name__] = torch._dynamo = dynamo
    builtins.open = io.open = files.opened  # type: ignore[assignment]
    torch.save = _saving(torch.save)
    torch.load = _loading(torch.load)
    DataLoader.__init__ = _without_workers(DataLoader.__init__)  # type: ignore[method-assign]
    for name in ("current_device", "memory_allocated", "memory_reserved", "max_memory_allocated"):
        setattr(torch.cuda, name, lambda *args, **kwargs: 0)
    for name in _OF_A_DEVICE.split():
        setattr(torch.cuda, name, _nothing)


def _saving(save: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(save)
    def saving(value: object, f: Any, *args: Any, **kwargs: Any) -> None:
        if hasattr(f, "write"):
            return save(value, f, *args, **kwargs)
        with files.opened(f, "wb") as file:
            save(value, file, *args, **kwargs)

    return saving


def _loading(load: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(load)
    def loading(f: Any, *args: Any, **kwargs: Any) -> Any:
        return load(f if hasattr(f, "read") else files.opened(f, "rb"), *args, **kwargs)

    return loading


def _without_workers(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def initialised(self: Any, *args: Any, **kwargs: Any) -> None:
        for name in ("num_workers", "prefetch_factor", "persistent_workers", "multiprocessing_context", "pin_memory"):
            kwargs.pop(name, None)
        init(self, *args, **kwargs)

    return initialised


def install(check: Callable[[str], None]) -> dict[str, Any]:
    """Let `import otter` give a recorder that calls *check* with a question's name; return the names every cell has."""

    class Notebook:
        """Otter's notebook, as far as students use it."""

        def __init__(self, *args: object, **kwargs: object) -> None: ...

        def check(self, question: str, *args: object, **kwargs: object) -> None:
            check(question)

        def __getattr__(self, name: str) -> Callable[..., object]:
            return _nothing  # check_all, export and the rest grade nothing

    otter = types.ModuleType("otter")
    otter.Notebook = Notebook  # type: ignore[attr-defined]
    sys.modules["otter"] = otter
    main = types.ModuleType("__main__")
    namespace = vars(main)
    shell = Shell(namespace)
    namespace.update(grader=Notebook(), get_ipython=lambda: shell, display=_nothing)
    sys.modules["__main__"] = main
    return namespace
