"""The network server's frames, for tests to start from."""

import json

LAYOUT_1 = (
    b'{"app":{"appeui":"37817737f13","moteeui":"9372163","dir":"up",'
    b'"userdata":{"seqno":12,"port":1,"payload":"Af4=",'
    b'"motetx":{"freq":868.1,"modu":"LORA","datr":"SF7BW125","codr":"4/5","adr":true}},'
    b'"gwrx":[{"eui":"b827ebfffe000001","time":"2015-10-15T11:51:00.123456Z",'
    b'"timefromgateway":true,"chan":0,"rfch":1,"rssi":-57,"lsnr":9.2}]}}'
)
LAYOUT_2 = (
    b'{"app":{"moteeui":"9372163","dir":"up","seqno":12,"token":7,'
    b'"userdata":{"port":1,"payload":"Af4"},'
    b'"motetx":{"freq":868.1,"datr":"SF7BW125","codr":"4/5","adr":true},'
    b'"gwrx":[{"eui":"b827ebfffe000001","rssi":-57,"lsnr":9.2}]}}'
)
RECEIVED = 1_444_909_860_123_456
"""The gateway's time in LAYOUT_1, in microseconds since 1970."""


def frame(**app: object) -> bytes:
    """Return a small good frame with fields of ``app`` added or replaced; None removes one."""
    fields: dict[str, object] = {
        "appeui": "37817737f13",
        "moteeui": "9372163",
        "dir": "up",
        "userdata": {"port": 1, "payload": "Af4="},
    }
    changed = {name: value for name, value in (fields | app).items() if value is not None}
    return json.dumps({"app": changed}).encode()


def with_userdata(**userdata: object) -> bytes:
    """Return a small good frame with fields of its ``userdata`` replaced; None removes one."""
    fields: dict[str, object] = {"port": 1, "payload": "Af4="}
    changed = {name: value for name, value in (fields | userdata).items() if value is not None}
    return frame(userdata=changed)
