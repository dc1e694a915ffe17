"""Errors of the studies: messages for the person who runs or reads one, each with its remedy."""


class StudyError(Exception):
    """A study cannot be run, read or judged; the message says which, why, and what to do about it."""


class IncompleteError(StudyError):
    """Fewer runs are stored than were registered: a verdict would rest on less than was promised."""


class ForeignRowsError(StudyError):
    """The stored rows belong to another registration, profile or environment than the one at hand."""


class JobError(StudyError):
    """Jobs of a study failed; the rows of the others are stored."""
