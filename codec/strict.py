"""Whether a codec says the same as a function in strict mode, if there it throws nothing.

What strict mode forbids, such as writing to what is frozen or declaring a name by using it, it
throws at, and harden.js refuses what would tell of it. What is looked for here is the rest: syntax
that means something else there, or that goes on after an exception.
"""

from collections.abc import Iterator

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

from codec.javascript import new_engine

_PARSER = Parser(Language(tree_sitter_javascript.language()))
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


def says_the_same(source: str) -> bool:
    """Tell whether a codec that throws nothing there does what it does as a script."""
    root = _PARSER.parse(source.encode()).root_node
    return not root.has_error and not any(map(_differs, _nodes(root)))


def _nodes(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.children)


def _differs(node: Node) -> bool:
    match node.type:
        case "try_statement" | "async" | "await" | "import":
            return True  # what is thrown does not come out
        case "function_declaration" | "generator_function_declaration":
            return not _at_the_top(node)
        case "variable_declaration" | "for_in_statement":
            return any(each.text in _GIVEN for each in _declared(node))
        case "this":
            return not (_has_member_taken(node) or _is_bound(node))
        case "super":  # its methods get this
            return node.parent is not None and node.parent.type != "call_expression"
        case kind:
            return "identifier" in kind and (
                node.text == b"arguments" or b"\\" in (node.text or b"")
            )


def _declared(node: Node) -> Iterator[Node]:
    """Yield names, among others, that have the value given to them in a script with ``var``."""
    names = [each.child_by_field_name("name") for each in node.named_children]
    for place in (node.child_by_field_name("left"), *names):
        if place is not None:
            yield from _nodes(place)


def _has_member_taken(this: Node) -> bool:
    """Tell whether a member is taken of it, at which strict mode throws if it is undefined."""
    above = this.parent
    return (
        above is not None
        and above.child_by_field_name("object") == this
        and above.child_by_field_name("optional_chain") is None
    )


def _is_bound(this: Node) -> bool:
    """Tell whether it is only to be that of another function, which is looked at itself."""
    call = this.parent and this.parent.parent
    function = call and call.child_by_field_name("function")
    return (
        function is not None
        and function.type == "member_expression"
        and (name := function.child_by_field_name("property")) is not None
        and name.text == b"bind"
        and this.prev_named_sibling is None
    )


def _at_the_top(declaration: Node) -> bool:
    """Tell whether a function is declared at the top of a script or function, not in a block."""
    above = declaration.parent
    if above is None or above.type == "program":
        return True
    outside = above.parent
    return above.type == "statement_block" and outside is not None and outside.type in _FUNCTIONS
