"""Reading PowerShell in two ways that do not know how our scripts were written.

`tree` is tree-sitter-powershell's parse. Its grammar takes only ' for a single quote; PowerShell itself takes five
characters (and four for the double one), so `scan` follows PowerShell's own tokenizer there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import tree_sitter
import tree_sitter_powershell

SINGLE = "'\u2018\u2019\u201a\u201b"
DOUBLE = '"\u201c\u201d\u201e'


@cache
def _parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))


def tree(script: str) -> tree_sitter.Node:
    return _parser().parse(script.encode()).root_node


def walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """All nodes, without recursion: long arrays nest deeply."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))


def faults(script: str) -> list[str]:
    """What the parser could not make sense of, with its line."""
    return [
        f"line {n.start_point[0] + 1}: {n.type}: {text(n)[:80]!r}"
        for n in walk(tree(script))
        if n.is_error or n.is_missing
    ]


def text(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode()


def commands(script: str) -> Counter[str]:
    """How often each command is called."""
    return Counter(text(n) for n in walk(tree(script)) if n.type == "command_name")


def literals(script: str) -> list[str]:
    """The values of the single-quoted literals, in order."""
    values = (text(n) for n in walk(tree(script)) if n.type == "string_literal")
    return [_undoubled(value[1:-1]) for value in values if value.startswith("'")]


def _undoubled(inner: str) -> str:
    return re.sub(f"([{SINGLE}])[{SINGLE}]", r"\1", inner)


def value(node: tree_sitter.Node) -> Any:
    """A literal, array or hashtable of literals as Python's; refuses anything that would have to be run."""
    if node.type == "string_literal":
        assert text(node).startswith("'"), text(node)
        return _undoubled(text(node)[1:-1])
    if node.type == "integer_literal":
        return int(text(node))
    if node.type == "variable":
        return {"$true": True, "$false": False}[text(node)]
    if node.type == "hash_literal_expression":
        entries = [n for n in walk(node) if n.type == "hash_entry" and _owner(n, "hash_literal_expression") == node]
        return {_key(n.named_children[0]): value(n.named_children[1]) for n in entries}
    if node.type == "array_expression":
        items = []
        for statement in node.named_children:
            for pipeline in statement.named_children if statement.type == "statement_list" else [statement]:
                items.append(value(pipeline))
        return [i for item in items for i in (item if isinstance(item, list) else [item])]
    parts = node.named_children
    assert parts, f"{node.type}: {text(node)!r} is not data"
    if node.type == "array_literal_expression" and len(parts) > 1:
        return [value(p) for p in parts]
    assert len(parts) == 1, f"{node.type}: {text(node)!r} is not data"
    return value(parts[0])


def _owner(node: tree_sitter.Node, kind: str) -> tree_sitter.Node | None:
    above = node.parent
    while above is not None and above.type != kind:
        above = above.parent
    return above


def _key(node: tree_sitter.Node) -> str | int:
    word = text(node)
    return int(word) if word.isdigit() else word


def data(script: str) -> dict[str, Any]:
    """What a script assigns to $Waves, $Changes, $Actions, $Kinds and flags; under `Groups` what it adds to them."""
    out: dict[str, Any] = {"Groups": []}
    for node in walk(tree(script)):
        if node.type == "assignment_expression":
            name = text(node.named_children[0])
            if name in ("$Waves", "$Changes", "$Actions", "$Kinds", "$EnableAuditing", "$EnableUnifiedLog"):
                assert name[1:] not in out, f"{name} is assigned twice"
                out[name[1:]] = value(node.named_children[-1])
        elif node.type == "invokation_expression" and text(node).startswith("$Groups.Add("):
            arguments = next(n for n in walk(node) if n.type == "hash_literal_expression")
            out["Groups"].append(value(arguments))
    return out


def scan(script: str) -> tuple[str, list[str]]:
    """A script without comments, empty lines and the insides of literals, and the latter, by PowerShell's rules."""
    code: list[str] = []
    values: list[str] = []
    at, end = 0, len(script)
    while at < end:
        c = script[at]
        if script.startswith("<#", at):
            at = script.index("#>", at) + 2
        elif c == "#" and (at == 0 or script[at - 1] in " \t\r\n;({,=|\ufeff"):
            while at < end and script[at] not in "\r\n":
                at += 1
        elif c == "@" and script[at + 1 : at + 2] and script[at + 1] in SINGLE + DOUBLE:
            raise AssertionError("a here-string")
        elif c in SINGLE:
            inner, at = _until(script, at + 1, SINGLE, escape="")
            values.append(inner)
            code.append("'...'")
        elif c in DOUBLE:
            inner, at = _until(script, at + 1, DOUBLE, escape="`")
            code.append(f'"{inner}"')
        else:
            code.append(c)
            at += 1
    return re.sub(r"(\s*\r\n)+", "\n", "".join(code)), values


def _until(script: str, at: int, quotes: str, *, escape: str) -> tuple[str, int]:
    """The inside of a string that is open, and where its code goes on."""
    inner = []
    while True:
        c = script[at]
        if c in quotes:
            if script[at + 1 : at + 2] not in quotes or at + 1 == len(script):
                return "".join(inner), at + 1
            at += 1
        elif escape and c == escape:
            at += 1
        inner.append(c)
        at += 1
