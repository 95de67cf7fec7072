"""What `monitoring` reads from its environment."""

from typing import ClassVar

from ecm.kit.settings import ServiceSettings


class MonitoringSettings(ServiceSettings):
    """The common settings; `monitoring` has none of its own."""

    service: ClassVar[str] = "monitoring"
