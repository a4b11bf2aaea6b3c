"""What goes into the logs holds no secrets, whoever logs it."""

import logging

from escalations.masking import mask


class Masked(logging.Formatter):
    """A line with its traceback, masked as a whole."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))
