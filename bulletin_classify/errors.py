"""What can go wrong, as a person would want to be told.

BulletinError
├── InputError    a file or row that cannot be read or used
├── CorpusError   labelled rows or a taxonomy that cannot be trained on
└── ModelError    a model folder that cannot be trusted or used

Every message names the place and says what to do next.
"""


class BulletinError(Exception):
    """The root of all errors raised on purpose by this package."""


class InputError(BulletinError):
    """An input file, row or argument cannot be used.

    ``kind`` is a short stable word for records and statistics, such as ``missing`` or ``encoding``.
    """

    def __init__(self, message: str, kind: str = "input") -> None:
        super().__init__(message)
        self.kind = kind

    def __reduce__(self) -> tuple[type["InputError"], tuple[str, str]]:
        # Errors travel between worker processes; the default would drop ``kind``.
        return type(self), (str(self), self.kind)


class CorpusError(BulletinError):
    """Labelled rows or a taxonomy are wrong; the message starts with ``file:line``."""


class ModelError(BulletinError):
    """A model folder is missing, damaged, foreign or of another format."""
