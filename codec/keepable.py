"""Whether a codec says the same as a function in strict mode, if there it throws nothing.

What strict mode forbids, such as writing to what is frozen or declaring a name by using it, it
throws at, and harden.js refuses what would tell of it. What is looked for here is the rest: syntax
that means something else there, or that goes on after an exception.
"""

from collections.abc import Iterator
from typing import NamedTuple

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

from codec.sandbox import new_engine

_PARSER = Parser(Language(tree_sitter_javascript.language()))
_COMMENTS = ("<!--", "-->")  # as in HTML, which the parser sees elsewhere than the engine does
_FUNCTIONS = {
    "arrow_function",
    "function_declaration",
    "function_expression",
    "generator_function",
    "generator_function_declaration",
    "method_definition",
}
_GIVEN = set(
    new_engine("Buffer").eval("Object.getOwnPropertyNames(globalThis).join()").encode().split(b",")
) - {b"module", b"exports"}  # which the function has, too
_BOXED = {
    b"__defineGetter__",
    b"__defineSetter__",
    b"__proto__",
    b"match",
    b"matchAll",
    b"replace",
    b"replaceAll",
    b"search",
    b"split",
}
"""Members that hand on, or change, the object that sloppy mode makes of a primitive ``this``."""


class _Place(NamedTuple):
    """A node and what it is in, which the parser itself would look for from the top each time."""

    node: Node
    above: "_Place | None"
    declared: bool
    """Whether it is in a name or pattern that ``var`` may declare."""


def says_the_same(source: str) -> bool:
    """Tell whether a codec that throws nothing in strict mode does what it does as a script."""
    root = _PARSER.parse(source.encode()).root_node
    return not (
        root.has_error
        or any(each in source for each in _COMMENTS)
        or any(map(_differs, _places(root)))
    )


def _places(root: Node) -> Iterator[_Place]:
    waiting = [_Place(root, None, declared=False)]
    while waiting:
        place = waiting.pop()
        yield place
        names = _names(place)
        waiting.extend(
            _Place(child, place, place.declared or child == names) for child in place.node.children
        )


def _names(place: _Place) -> Node | None:
    """Return what a node declares, if it may be with ``var``."""
    match place.node.type, place.above and place.above.node.type:
        case "variable_declarator", "variable_declaration":
            return place.node.child_by_field_name("name")
        case "for_in_statement", _:
            return place.node.child_by_field_name("left")
    return None


def _differs(place: _Place) -> bool:
    node = place.node
    if place.declared and not node.child_count and node.text in _GIVEN:
        return True  # a script's var leaves the value that is given
    match node.type:
        case "try_statement" | "async" | "await" | "import":
            return True  # what is thrown does not come out
        case "function_declaration" | "generator_function_declaration":
            return not _at_the_top(place)
        case "this":
            return not _has_member_taken(place)
        case "super":  # its methods get this
            return place.above is not None and place.above.node.type != "call_expression"
        case kind:
            return "identifier" in kind and (
                node.text == b"arguments" or b"\\" in (node.text or b"")
            )


def _at_the_top(declaration: _Place) -> bool:
    """Tell whether a function is declared at the top of a script or function, not in a block."""
    above = declaration.above
    if above is None or above.node.type == "program":
        return True
    outside = above.above
    return (
        above.node.type == "statement_block"
        and outside is not None
        and outside.node.type in _FUNCTIONS
    )


def _has_member_taken(this: _Place) -> bool:
    """Tell whether a member is taken of it.

    Strict mode throws there if it is undefined. If it is a primitive, it has the members of the
    object that sloppy mode makes of it.
    """
    if this.above is None or this.above.node.type != "member_expression":
        return False
    access = this.above.node
    name = access.child_by_field_name("property")
    return (
        access.child_by_field_name("optional_chain") is None
        and name is not None
        and name.text not in _BOXED
    )
