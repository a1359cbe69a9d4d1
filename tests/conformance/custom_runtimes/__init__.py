"""Programs that functions of runtimes without an interpreter bring, in three languages."""
