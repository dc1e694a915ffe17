"""The one exception of the book's machinery: a message meant for the person at the keyboard."""


class BookError(Exception):
    """Something the author can put right; the message names the file, what is wrong and the remedy."""
