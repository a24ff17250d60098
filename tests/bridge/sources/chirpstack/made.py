"""Makes events by ChirpStack's own schema, whatever it allows, and prints them as JSON."""

import json
import re
from collections.abc import Mapping
from enum import Enum, auto
from typing import cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import strategies as st

_LAST = 253_402_300_799  # seconds since 1970: the end of 9999
_UTC = re.compile(r"(T\d\d:\d\d:\d\d(?:\.\d+)?)Z")
_OF_OTHER_PACKAGES = ("rxInfo", "txInfo", "location")
_TEXTS = st.text(max_size=12)
_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
_SCALARS: Mapping[int, st.SearchStrategy[object]] = {
    FieldDescriptor.TYPE_STRING: _TEXTS,
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=20),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_UINT32: st.integers(0, 2**32 - 1) | st.integers(0, 3),
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_FLOAT: st.floats(-1e9, 1e9, width=32),
    FieldDescriptor.TYPE_DOUBLE: st.floats(-1e9, 1e9),
}
_NEEDED = ("device_info", "tx_info", "modulation")
_EUIS = st.text("0123456789abcdefABCDEF-", min_size=1, max_size=36)


class Form(Enum):
    """Ways to print: all fields, those that are not zero, or as ChirpStack mixes the two."""

    FULL = auto()
    SPARSE = auto()
    CHIRPSTACK = auto()


def events(kind: type) -> st.SearchStrategy[Message]:
    """Return a strategy for events of a class; each has a device with both ids."""
    return _messages(cast("Descriptor", kind.DESCRIPTOR))  # type: ignore[attr-defined]


def printed(event: Message, form: Form) -> bytes:
    """Return an event as JSON."""
    whole, sparse = _fields(event, zeros=True), _fields(event, zeros=False)
    match form:
        case Form.FULL:
            return json.dumps(whole).encode()
        case Form.SPARSE:
            return json.dumps(sparse).encode()
        case Form.CHIRPSTACK:
            # The packages gw and common leave zeros out; the offset of a time is written.
            inner = {name: sparse[name] for name in _OF_OTHER_PACKAGES if name in sparse}
            text = json.dumps(whole | inner, ensure_ascii=False, separators=(",", ":"))
            return _UTC.sub(r"\1+00:00", text).encode()


def _fields(event: Message, *, zeros: bool) -> dict[str, object]:
    fields = MessageToDict(event, always_print_fields_with_no_presence=zeros)
    return cast("dict[str, object]", fields)


def _messages(descriptor: Descriptor) -> st.SearchStrategy[Message]:
    fields = {each.name: _field(each) for each in descriptor.fields}
    needed = {name: fields.pop(name) for name in _NEEDED if name in fields}
    if descriptor.full_name == "integration.DeviceInfo":
        needed = dict.fromkeys(("application_id", "dev_eui"), _EUIS)
        fields = {name: each for name, each in fields.items() if name not in needed}
    if "f_port" in fields:
        fields["f_port"] = st.integers(0, 255)
    made = GetMessageClass(descriptor)
    if any(len(each.fields) == len(fields) for each in descriptor.oneofs):
        return st.one_of([st.builds(made, **{name: each}) for name, each in fields.items()])
    return st.fixed_dictionaries(needed, optional=fields).map(lambda values: made(**values))


def _field(field: FieldDescriptor) -> st.SearchStrategy[object]:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return st.dictionaries(_TEXTS, _TEXTS, max_size=3)
    one = _one(field)
    return st.lists(one, max_size=3) if field.is_repeated else one


def _one(field: FieldDescriptor) -> st.SearchStrategy[object]:
    if field.enum_type is not None:
        return st.sampled_from([each.number for each in field.enum_type.values])
    if field.message_type is None:
        return _SCALARS[field.type]
    match field.message_type.full_name:
        case "google.protobuf.Timestamp":
            return st.builds(Timestamp, seconds=st.integers(0, _LAST), nanos=_nanos())
        case "google.protobuf.Duration":
            return st.builds(Duration, seconds=st.integers(0, 10**10), nanos=_nanos())
        case "google.protobuf.Struct":
            return st.dictionaries(_TEXTS, _JSON, max_size=4).map(_struct)
        case _:
            return _messages(field.message_type)


def _nanos() -> st.SearchStrategy[int]:
    """Return a strategy for fractions of a second, which are printed with 0, 3, 6 or 9 digits."""
    steps = st.sampled_from([1, 10**3, 10**6, 10**9])
    return st.builds(lambda nanos, step: nanos - nanos % step, st.integers(0, 10**9 - 1), steps)


def _struct(values: Mapping[str, object]) -> Message:
    made = Struct()
    made.update(values)
    return made
