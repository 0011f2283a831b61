"""The one way in which the domain says no."""


class Refused(Exception):
    """The command contradicts the rules; asking again will not help.

    `code` is stable and meant for programs, `details` are for the person who reads it.
    """

    def __init__(self, code: str, **details: object) -> None:
        super().__init__(code)
        self.code = code
        self.details = details
