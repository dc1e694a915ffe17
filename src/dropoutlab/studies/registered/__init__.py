"""The studies of the course: a file for each, which holds ``STUDY``, or several of a kind in ``STUDIES``."""
