# ko: @title 그림과 예상해 보기를 위한 도구 (열어 보지 않아도 됩니다)
# en: @title Tools for pictures and predictions (no need to open)
from base64 import b64encode
from contextlib import contextmanager
from html import escape
from math import atan2, degrees

from IPython.display import display

names_to_leave = {{names}}


@contextmanager
def after(question):
    """Where the question is still open, what stands inside is passed over, and the cell says so."""
    try:
        yield
    except Exception:
        if all(globals().get(name) is not None for name in names_to_leave[question]):
            raise
        print(f"{question}을 푼 뒤에 이 셀을 다시 실행해 보세요.")  # ko
        print(f"Solve {question} first, then run this cell again.")  # en


# ko: 예상해 보기의 답과 까닭. 먼저 예상해 보세요!
# en: what is to be predicted, and why it is so; predict first!
predictions = {
    "batch_emb": (
        lambda: (*batch.shape, embedding_size),
        "id마다 vector 하나이므로 맨 뒤에 d_w 축이 생깁니다: (B, L, d_w).",  # ko
        "One vector for every id, so an axis d_w appears at the end: (B, L, d_w).",  # en
    ),
    "layers": (
        lambda: 2,
        "hidden_states에는 맨 위 layer만 있고, h_n의 첫 축은 layer의 수를 따라 3이 됩니다.",  # ko
        "hidden_states holds the top layer only; the first axis of h_n counts layers and becomes 3.",  # en
    ),
    "gates": (
        lambda: 4 * hidden_size,
        "gate 셋과 g마다 d_h행씩, 모두 4 * d_h입니다.",  # ko
        "d_h rows for each gate and for g: 4 * d_h.",  # en
    ),
    "scores": (
        lambda: (1, batch.shape[0], vocab_size),
        "마지막 축만 d_h에서 V로 바뀝니다: (1, B, V).",  # ko
        "Only the last axis changes, from d_h to V: (1, B, V).",  # en
    ),
    "cells": (
        lambda: 2,
        "단어만 남으므로 모든 길이의 합입니다.",  # ko
        "The words are left, and nothing else: all lengths added up.",  # en
    ),
    "states": (
        lambda: 3 * num_dirs,
        "layer마다, 방향마다 하나씩 있습니다: num_layers * num_dirs.",  # ko
        "One for each layer and direction: num_layers * num_dirs.",  # en
    ),
}


def reveal(name, guess):
    """Show what was to be predicted, once something was guessed."""
    if guess is None:
        print("guess에 예상을 적은 뒤에 이 셀을 다시 실행해 보세요.")  # ko
        print("Type what you expect after guess, then run this cell again.")  # en
    else:
        actual, why = predictions[name][0](), predictions[name][1]
        guess = tuple(guess) if isinstance(guess, (list, tuple)) else guess
        right = guess == actual or str(guess) == str(actual)
        verdict = "맞습니다" if right else "다릅니다"  # ko
        print(f"예상 {guess}, 실제 {actual}: {verdict}. {why}")  # ko
        verdict = "right" if right else "not so"  # en
        print(f"Your guess {guess}, actual {actual}: {verdict}. {why}")  # en


class Picture:
    """An SVG drawing on a light panel of its own, so that it reads well on dark themes too."""

    BLUE, ORANGE, GREY, INK = "#005a8e", "#a84300", "#52606d", "#1f2933"
    FILLS = "#cfe5f3", "#fbe3c0"

    def __init__(self, caption, width, height):
        self.caption, self.width, self.height, self.parts = caption, max(width, 480), height, []
        self.text(16, 26, caption, size=14, anchor="start", bold=True)

    def box(self, x, y, width, height, fill="none", stroke="#cbd2d9", thick=1, dash=""):
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="3" fill="{fill}" '
            f'stroke="{stroke}" stroke-width="{thick}" stroke-dasharray="{dash}"/>'
        )

    def text(self, x, y, label, size=12, anchor="middle", color=INK, bold=False):
        self.parts.append(
            f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{color}" '
            f'font-weight="{600 if bold else 400}">{escape(str(label))}</text>'
        )

    def arrow(self, x1, y1, x2, y2):
        turn = degrees(atan2(y2 - y1, x2 - x1))
        self.parts.append(f'<path d="M{x1} {y1}L{x2} {y2}" stroke="{self.GREY}" stroke-width="1.5"/>')
        self.parts.append(f'<path d="M0 0l-8-4v8z" fill="{self.GREY}" transform="translate({x2} {y2}) rotate({turn})"/>')

    def svg(self):
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" '
            "font-family=\"'Noto Sans KR','Noto Sans CJK KR','Apple SD Gothic Neo','Malgun Gothic',sans-serif\">"
            f'<rect x=".5" y=".5" width="{self.width - 1}" height="{self.height - 1}" rx="8" fill="#fbfcfd" '
            f'stroke="#cbd2d9"/>{"".join(self.parts)}</svg>'
        )

    def _repr_html_(self):
        # ko: 신뢰하지 않는 노트북에서는 Jupyter가 SVG를 지우지만 이미지는 보여 줍니다.
        # en: in a notebook that is not trusted, Jupyter removes SVG but shows images
        source = f"data:image/svg+xml;base64,{b64encode(self.svg().encode()).decode()}"
        style = "display:block;height:auto;max-width:100%;min-width:480px"
        return f'<div style="overflow-x:auto"><img alt="{escape(self.caption)}" src="{source}" style="{style}"></div>'

    def __repr__(self):
        return f"[{self.caption}]"


def draw_padding(caption, rows, lengths, vocabulary):
    right = 88 + len(rows[0]) * 27
    picture = Picture(caption, right + 92, len(rows) * 23 + 74)
    picture.text(88, 52, f"t = 0 … {len(rows[0]) - 1}   (L = {len(rows[0])})", 11, "start", picture.GREY)
    picture.text(right + 10, 52, "batch_lens", 11, "start", picture.BLUE, bold=True)
    for index, (row, length) in enumerate(zip(rows, lengths)):
        y = 60 + index * 23
        picture.text(78, y + 16, f"batch[{index}]", 11, "end", picture.GREY)
        for t, token in enumerate(row):
            shade = round(80 * token / vocabulary)
            fill = f"rgb({226 - shade},{240 - shade // 2},{250 - shade // 6})" if t < length else "#ffffff"
            picture.box(88 + t * 27, y, 27, 23, fill)
            picture.text(101 + t * 27, y + 16, token, 11, color=picture.INK if t < length else "#7b8794")
        picture.box(88, y, length * 27, 23, stroke=picture.BLUE, thick=2)
        picture.text(right + 10, y + 16, length, 12, "start", bold=True)
    return picture


def draw_grid(caption, layers, steps, rows, size):
    times = [0, 1, "⋯", steps - 1] if steps > 3 else list(range(steps))
    right, bottom = 118 + len(times) * 104, 82 + layers * 88
    picture = Picture(caption, right + 210, bottom + 52)
    for column, t in enumerate(times):
        x = 122 + column * 104
        picture.text(x + 35, bottom + 32, t if t == "⋯" else f"x at t = {t}", color=picture.GREY)
        for layer in range(layers):
            y = bottom - 72 - layer * 88
            picture.arrow(x - 34, y + 22, x - 3, y + 22)
            if t == "⋯":
                picture.text(x + 35, y + 28, t, 18)
            else:
                picture.box(x, y, 70, 44, picture.FILLS[0], "#7b8794")
                picture.text(x + 35, y + 27, "h")
                picture.arrow(x + 35, y + 88 if layer else y + 78, x + 35, y + 47)
    for layer in range(layers):
        y = bottom - 46 - layer * 88
        picture.text(16, y, f"layer {layer}", 12, "start", picture.GREY)
        picture.text(74, y, "h_0", color=picture.GREY)
    picture.box(112, 88, len(times) * 104 - 14, 64, stroke=picture.ORANGE, thick=2.5)
    picture.box(right - 102, 80, 82, bottom - 98, stroke=picture.BLUE, thick=2.5, dash="7 4")
    label = f"hidden_states   (L, B, d_h) = ({steps}, {rows}, {size})"
    picture.text(112, 66, label, 12, "start", picture.ORANGE, bold=True)
    picture.text(right - 4, bottom - 46, "h_n", 12, "start", picture.BLUE, bold=True)
    picture.text(right - 4, bottom - 28, "(num_layers * num_dirs, B, d_h)", 11, "start", picture.BLUE)
    picture.text(right - 4, bottom - 10, f"= ({layers}, {rows}, {size})", 11, "start", picture.BLUE)
    return picture


def draw_packing(caption, rows, lengths):
    running = [sum(length > t for length in lengths) for t in range(max(lengths))]
    bottom = 66 + len(rows) * 21
    picture = Picture(caption, 118 + len(running) * 30, bottom + 76)
    for t, count in enumerate(running):
        x = 100 + t * 30
        for index, row in enumerate(rows):
            picture.box(x, 56 + index * 21, 26, 21, picture.FILLS[0] if index < count else "#ffffff", "#e4e7eb")
            if index < count:
                picture.text(x + 13, 71 + index * 21, row[t], 11)
        picture.box(x, 56, 26, count * 21, stroke=picture.ORANGE, thick=2)
        picture.text(x + 13, bottom + 10, count, 12, bold=True)
        picture.text(x + 13, bottom + 30, t, 11, color=picture.GREY)
    picture.text(88, bottom + 10, "batch_sizes", 11, "end", bold=True)
    picture.text(88, bottom + 30, "t", 11, "end", picture.GREY)
    cells = f"B * L = {len(rows) * len(running)}  →  sum(batch_lens) = {sum(lengths)}"
    picture.text(100, bottom + 58, cells, 12, "start", picture.ORANGE, bold=True)
    return picture


def draw_blocks(caption, layers, directions, rows, size):
    bottom = 60 + layers * directions * 42
    picture = Picture(caption, 300 + directions * 156, bottom + 62)
    for layer in range(layers):
        for direction in range(directions):
            index, label = layer * directions + direction, f"layer {layer}  {('forward →', 'backward ←')[direction]}"
            x, y = 276 + direction * 156, (56 + bottom) / 2 + (layer - layers / 2) * 54
            for left, top in ((48, 56 + index * 42), (x, y)):
                picture.box(left, top, 148, 36, picture.FILLS[direction], "#7b8794")
                picture.text(left + 74, top + 23, label)
            picture.text(30, 79 + index * 42, index, color=picture.GREY)
    picture.arrow(210, (46 + bottom) / 2, 262, (46 + bottom) / 2)
    for x, shape, sizes in (
        (122, "(num_layers * num_dirs, B, d_h)", (layers * directions, rows, size)),
        (272 + directions * 78, "(num_layers, num_dirs, B, d_h)", (layers, directions, rows, size)),
    ):
        picture.text(x, bottom + 24, shape, 11, color=picture.GREY)
        picture.text(x, bottom + 42, f"= {sizes}", 11, color=picture.GREY)
    return picture
