"""A real Apache Kafka: one KRaft node on loopback, SASL/SCRAM for everybody, ACLs on."""

import base64
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecm.admin.errors import OperatorError
from ecm.admin.files import private_directory, tail, write_private
from ecm.admin.names import KAFKA_ADMIN
from ecm.local.spawn import Command, run

# No performance data: the JVM would leave a folder in /tmp.
HEAP = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-XX:-UsePerfData")

LOG4J = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""

# Comments only where a value isn't what one would expect of one node.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=CLIENT://{advertised}
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENT
# The controller's listener too: without SASL it is anonymous there, the authorizer denies it, nothing opens.
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.mechanism.controller.protocol=SCRAM-SHA-512
listener.name.client.scram-sha-512.sasl.jaas.config={jaas}
listener.name.controller.scram-sha-512.sasl.jaas.config={jaas}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{admin}
allow.everyone.if.no.acl.found=false
log.dirs={log_dir}
num.partitions=1
auto.create.topics.enable=false
# One node: with the defaults of 3 consumers hang.
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
# 110 MiB less than the default.
log.cleaner.dedupe.buffer.size=16777216
# A broker killed by -9 is back in some 3.5 s instead of 13.
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=1500
log.retention.hours=168
"""


@dataclass(frozen=True, slots=True)
class Broker:
    """One node: its folder, ports, Java and class path. `password` is the administrator's.

    `advertised` ("host:port") is where clients are told to go on to, where that isn't the node itself.
    """

    folder: Path
    java: Path
    jars: Sequence[Path]
    port: int
    controller_port: int
    password: str
    advertised: str = ""

    @property
    def bootstrap(self) -> str:
        """Where clients connect."""
        return f"127.0.0.1:{self.port}"

    @property
    def properties(self) -> Path:
        """The server's configuration, written anew at every start."""
        return self.folder / "server.properties"

    @property
    def log_dir(self) -> Path:
        """Topics, metadata and the cluster's id."""
        return self.folder / "logs"

    def command(self, main: str, *arguments: str) -> Command:
        """A call of one of Kafka's programs."""
        log4j = f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}"
        path = ":".join(map(str, self.jars))
        return Command([str(self.java), *HEAP, log4j, "-cp", path, main, *arguments])

    def server(self) -> Command:
        """The broker itself. SIGTERM ends it in half a second, with status 143."""
        return self.command("kafka.Kafka", str(self.properties))


def configure(broker: Broker) -> None:
    """Write the broker's configuration (0600: it holds the administrator's password)."""
    private_directory(broker.folder)
    jaas = (
        "org.apache.kafka.common.security.scram.ScramLoginModule required "
        f'username="{KAFKA_ADMIN}" password="{broker.password}";'
    )
    text = PROPERTIES.format(
        port=broker.port,
        advertised=broker.advertised or broker.bootstrap,
        controller_port=broker.controller_port,
        jaas=jaas,
        admin=KAFKA_ADMIN,
        log_dir=broker.log_dir,
    )
    write_private(broker.properties, text)
    write_private(broker.folder / "log4j2.properties", LOG4J)


async def format_storage(broker: Broker, log: Path) -> None:
    """Format the log directory, once, with the administrator's credentials in it.

    A format that was cut short is begun anew: the marker is the last thing that is made.
    """
    marker = broker.folder / "formatted"
    if marker.exists():
        return
    shutil.rmtree(broker.log_dir, ignore_errors=True)
    # One argument each: an id that begins with "-" would be taken for an option.
    cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode("ascii").rstrip("=")
    scram = f"SCRAM-SHA-512=[name={KAFKA_ADMIN},password={broker.password}]"
    arguments = ["format", f"--cluster-id={cluster}", "-c", str(broker.properties), "--add-scram", scram]
    command = broker.command("kafka.tools.StorageTool", *arguments)
    # Its output shows the salted keys: it goes to a file of its own, which is deleted when all went well.
    output = log.with_name("kafka-format.log")
    status = await run(command, output)
    if status != 0:
        raise OperatorError(
            f"Kafka's storage can't be formatted (status {status}): {' / '.join(tail(output, 2))}",
            f"See {output}, then run ecm up again.",
        )
    output.unlink(missing_ok=True)
    marker.touch(mode=0o600)
