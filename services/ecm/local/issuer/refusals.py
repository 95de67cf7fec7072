"""Refusals of the token endpoint, with RFC 6749 §5.2's codes."""


class Refused(Exception):  # noqa: N818 - the word of the field
    """`code` is RFC 6749's error, `description` says what to do; 401 for `invalid_client`, else 400."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return 401 if self.code == "invalid_client" else 400


def invalid_client(description: str) -> Refused:
    """The client isn't who it says."""
    return Refused("invalid_client", description)


def invalid_scope(description: str) -> Refused:
    """A scope that isn't the client's: the whole request fails."""
    return Refused("invalid_scope", description)


def invalid_request(description: str) -> Refused:
    """A parameter is missing or makes no sense."""
    return Refused("invalid_request", description)


def invalid_grant(description: str) -> Refused:
    """The assertion of a person isn't valid."""
    return Refused("invalid_grant", description)
