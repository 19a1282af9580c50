"""What can be wrong with a store."""


class StoreError(ValueError):
    """The store cannot be used: not writable, damaged beyond one record, or written by a newer version."""


class RecordExistsError(StoreError):
    """Another writer has put another content under this attempt already; theirs stands."""


class DamagedRecordError(ValueError):
    """A file that cannot be read back whole."""
