"""Whether a codec says the same as a function in strict mode, if there it throws nothing.

What strict mode forbids, such as writing to what is frozen or declaring a name by using it, it
throws at. The rest, where it goes on and means something else, is what is looked for here.
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
_DECLARATIONS = {"function_declaration", "generator_function_declaration"}
_NAMES = {
    b"arguments",  # apart from the parameters
    b"eval",
    b"globalThis",  # without the codec's own names
    b"stack",  # with another function and other lines in it
    # What tells of frozen objects without throwing:
    b"Function",
    b"Reflect",
    b"getOwnPropertyDescriptor",
    b"getOwnPropertyDescriptors",
    b"isExtensible",
    b"isFrozen",
    b"isSealed",
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
    if node.type in _DECLARATIONS:
        return not _at_the_top(node)
    if node.type == "variable_declaration":  # with var: a script has the value that was given
        return any(name in _GIVEN for name in _declared(node))
    return (
        node.type == "try_statement"  # what is thrown is caught
        or (node.type == "this" and not (_has_member_taken(node) or _is_bound(node)))
        or ("identifier" in node.type and node.text in _NAMES)
    )


def _declared(declaration: Node) -> Iterator[bytes | None]:
    for declarator in declaration.named_children:
        name = declarator.child_by_field_name("name")
        yield name and name.text


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
