"""How large DynamoDB counts a row, by its rules ("DynamoDB item sizes and formats")."""

from collections.abc import Mapping
from decimal import Decimal

from contract.rows import Value

_OF_DOCUMENTS, _OF_EACH = 3, 1  # bytes of overhead


def row_size(row: Mapping[str, Value]) -> int:
    """Return the bytes of a row: names and values."""
    return sum(_text(name) + _value(value) for name, value in row.items())


def _value(value: Value) -> int:
    match value:
        case str():
            return _text(value)
        case None | bool():
            return 1
        case list():
            return _OF_DOCUMENTS + sum(_OF_EACH + _value(each) for each in value)
        case dict():
            return _OF_DOCUMENTS + row_size(value) + _OF_EACH * len(value)
        case _:
            return _number(Decimal(value))


def _number(number: Decimal) -> int:
    """Return a byte for two digits, one more, and one for a sign; zeros around do not count."""
    digits = len(number.normalize().as_tuple().digits) if number else 0
    return (digits + 1) // 2 + 1 + (number < 0)


def _text(text: str) -> int:
    return len(text.encode())
