"""The errors of the record store, and the bound of all reading. Every kind of storage uses them."""

#: The most bytes of a file that is read at once. `parquet_bounds` has the lower bounds for each kind of file.
MOST_BYTES = 2**31


class StoreError(ValueError):
    """The store cannot be used: not writable, damaged beyond one record, or written by a newer version."""


class RecordExistsError(StoreError):
    """Another writer has already written other content for this attempt. That record is kept."""


class DamagedRecordError(ValueError):
    """A file is incomplete, its content has changed, or it is no regular file. The message begins with its name."""


class IrregularFileError(DamagedRecordError):
    """A pipe, a device, a socket or a folder, which cannot hold a record."""
