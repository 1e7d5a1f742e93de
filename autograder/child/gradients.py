"""Whether code can tell that no gradients are kept: without them, the layers take two thirds of the time.

It can where it asks for them, where it changes a parameter in place, and where it turns a tensor that has a gradient
into an array. Code of which every attribute, import and argument is known to do nothing of that goes without.
People can tell, too, where such a tensor is printed.
"""

from __future__ import annotations

import ast

__all__ = ["unnoticed", "unseen"]

_MODULES = {"IPython", "math", "otter", "torch", "tqdm", "typing"}
_OF_TENSORS = """
    T abs add all allclose any arange argmax argsort batch_sizes bmm bool cat chunk clamp clone concat contiguous
    cpu detach device dim dstack dtype einsum empty empty_like equal exp expand expand_as flatten flip float float32
    full full_like gather hstack index_select int int32 int64 isclose item linspace log log_softmax long mT
    manual_seed masked_fill matmul max mean min mm moveaxis movedim mul multinomial narrow ndim new_full new_ones
    new_zeros no_grad nonzero norm numel ones ones_like permute pow prod rand randint randn relu repeat
    repeat_interleave reshape roll round select shape sigmoid size softmax sort sorted_indices split sqrt squeeze
    stack std sub sum swapaxes swapdims t take tanh tensor tensor_split tile to tolist topk transpose type unbind
    unfold unsorted_indices unsqueeze var view view_as vstack where zeros zeros_like
"""
_OF_LAYERS = """
    Dropout Embedding GRU Identity LSTM Linear Module ModuleList PackedSequence RNN Sequential batch_first
    bidirectional dropout embedding embedding_dim eval flatten_parameters forward functional hidden_size in_features
    input_size nn num_embeddings num_layers out_features pack_padded_sequence pack_sequence pad_packed_sequence
    pad_sequence padding_idx rnn train utils
"""
_OF_PYTHON = """
    __init__ __len__ append auto check check_all count display export extend format get index insert items join keys
    notebook pop replace reverse run_cell_magic run_line_magic set_description split startswith strip system tqdm
    trange update values
"""
_HARMLESS = frozenset((_OF_TENSORS + _OF_LAYERS + _OF_PYTHON).split())
# They reach what no word in the code tells of.
_REACHING = {"__import__", "compile", "delattr", "eval", "exec", "getattr", "globals", "locals", "setattr", "vars"}


# What makes a text of a value.
_SHOWING = {"ascii", "display", "format", "print", "repr", "str", "write"}


def unseen(code: ast.AST) -> bool:
    """Whether *code* shows nobody what a value looks like, as far as its names tell."""
    return not any(map(_is_showing, ast.walk(code)))


def _is_showing(part: ast.AST) -> bool:
    match part:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _SHOWING
        case ast.JoinedStr() | ast.Mod() | ast.Assert() | ast.Raise():
            return True
    return False


def unnoticed(code: ast.AST) -> bool:
    """Whether *code* does the same with gradients and without, as far as its names tell."""
    return all(_harmless(part) for part in ast.walk(code))


def _harmless(part: ast.AST) -> bool:
    match part:
        case ast.Attribute(attr=name):
            return name in _HARMLESS
        case ast.Name(id=name):
            return name not in _REACHING
        case ast.keyword(arg=name):
            return name not in (None, "out")  # a result may not be put into a place where gradients are kept
        case ast.Import(names=names):
            return all(_is_known(alias.name) for alias in names)
        case ast.ImportFrom(module=str(module), names=names):
            return _is_known(module) and all(alias.name in _HARMLESS for alias in names)
        case ast.ImportFrom():
            return False
    return True


def _is_known(module: str) -> bool:
    package, *parts = module.split(".")
    return package in _MODULES and _HARMLESS.issuperset(parts)
