"""What can be wrong with the store itself, as opposed to with what it is asked."""


class StoreError(Exception):
    """The store can't serve. The message names the file and what to do."""


class StoreClosed(StoreError):
    """The store was closed before this was asked of it."""


class DatabaseCorrupt(StoreError):
    """The file is no database of ours, or is damaged."""


class SchemaTooNew(StoreError):
    """The database was written by a later version of Lampion."""


class DataDirectoryInUse(StoreError):
    """Another server runs on the data directory."""


class DataDirectoryUnusable(StoreError):
    """The data directory can't be made, written to, or is something else."""


class NotScrubbed(StoreError):
    """What was changed or deleted may still lie in the database's file, unused."""


class MasterKeyUnusable(StoreError):
    """The key that wraps the keys of KMS is missing, is another one, or lies open to others."""
