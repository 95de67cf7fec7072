"""What `formulation` reads from its environment."""

from typing import ClassVar

from ecm.kit.settings import ServiceSettings


class FormulationSettings(ServiceSettings):
    """The common settings; `formulation` has none of its own."""

    service: ClassVar[str] = "formulation"
