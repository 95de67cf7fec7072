"""What `referrals` reads from its environment."""

from typing import ClassVar

from ecm.kit.settings import ServiceSettings


class ReferralsSettings(ServiceSettings):
    """The common settings; `referrals` has none of its own."""

    service: ClassVar[str] = "referrals"
