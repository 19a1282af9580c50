"""What a user can mend: one clear line, exit code 2, nothing written."""


class StudyError(Exception):
    """Bad input. The message names the field, what came and what is allowed."""
