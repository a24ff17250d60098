"""What the demo says, and keeps running, when it stays up: a bridge, and the pages."""

import shlex
from contextlib import suppress
from pathlib import Path

from console.simulate.frames import APPLICATION
from contract.silence import INTERVALS_FILE
from lab.aws.cdk import PROJECT
from lab.aws.host import Host
from lab.demo.sources import Source, with_http
from lab.rig.running_bridge import running_bridge
from lab.rig.running_web import running_web

_EXPORTED = (
    "AWS_ENDPOINT_URL",
    "AWS_CA_BUNDLE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_DEFAULT_REGION",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
)
_SECOND_TERMINAL = """
All of it stays up until Ctrl-C; the bridge's log is {folder}/bridge.log.
Open in a browser: {pages}
The bridge's process is {pid}. Whenever it ends, it is started again: kill {pid} restarts it.
In other terminals:

  . {project}/.venv/bin/activate
  export {exports}
  cd {folder}

subscribe, in one of them (mosquitto_sub is in Debian's mosquitto-clients):
  mosquitto_sub -h localhost -p {mqtt_port} -i reader -t 'lora/#' -v --cafile iot-ca.pem \\
    --cert reader.pem --key reader.key
send an uplink, or several ({program}):
  {uplink}
  lora-bridge simulate {where} --count 10
send a downlink; a network server takes it while the line above runs, without --count:
  lora-bridge send {device} --port 10 010f --confirmed --wait 60s
look:
  lora-bridge check --round-trip
  lora-bridge devices --silent
  lora-bridge history {device} --since 10m
  lora-bridge events {device}
  lora-bridge history {device} --follow --name reader \\
    --endpoint localhost --port {mqtt_port} --root-ca iot-ca.pem
start the pages again, should you have ended them:
  lora-bridge web {pages_options}
deploy again, after a change of stacks, codecs or settings:
  cd {project} && npx cdk deploy --all -c settings={settings}
"""
_INTERVALS = f"""\
# The demo's devices send a lot at once and then nothing, from which no interval can be learnt.
[[interval]]
application = "{APPLICATION}"
every = "10m"
"""


def stay(host: Host, source: Source, settings: Path) -> None:
    """Keep a bridge running, and say what else to try, until Ctrl-C."""
    environment = host.aws.environment()
    exports = [f"{name}={shlex.quote(environment[name])}" for name in _EXPORTED]
    at = ["--endpoint", "localhost", "--mqtt-port", str(host.aws.mqtt_port)]
    consumer = ["--name", "reader", *at, "--root-ca", "iot-ca.pem"]
    with_http(source)
    options = ["--config", source.config.name, *consumer]
    (host.folder / INTERVALS_FILE).write_text(_INTERVALS)
    with suppress(KeyboardInterrupt), running_web(environment, host.folder, options) as web:
        while True:
            with running_bridge(source.config) as bridge:
                bridge.says("ready: ")
                text = _SECOND_TERMINAL.format(
                    exports=" ".join(exports),
                    device=source.device,
                    where=source.where,
                    uplink=source.uplink,
                    program=source.program,
                    mqtt_port=host.aws.mqtt_port,
                    folder=host.folder,
                    project=shlex.quote(str(PROJECT)),
                    settings=shlex.quote(str(settings)),
                    pid=bridge.process.pid,
                    pages=web.address,
                    pages_options=shlex.join(options),
                )
                print(text, flush=True)
                bridge.process.wait()
