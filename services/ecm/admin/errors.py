"""What can go wrong for whoever runs a region, in words that say what to do next."""


class OperatorError(Exception):
    """A failure that the person at the keyboard can do something about.

    `message` says what is wrong, `hint` what to do next.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()
