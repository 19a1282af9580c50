"""Names of the probes that evaluation knows: study files, the record schema and evaluation use them. No torch."""

#: Few-label probes by name, with the labelled images a class that each is given.
LABELS_A_CLASS = {"probe1": 1, "probe5": 5, "probe10": 10, "probe100": 100}

#: Probes that look at corrupted images.
CORRUPTED_PROBES = (
    "retrieval_corrupted",
    "retrieval_corrupted_z",
    "retrieval_corrupted_z_raw",
    "retrieval_released_z",
    "retrieval_released_z_raw",
)

#: Probes by the name that study files use; each gives `val_<name>_accuracy` and `test_<name>_accuracy`.
PROBES = (
    *LABELS_A_CLASS,
    "probe_full",
    "probe_sgd",
    "knn",
    "retrieval",
    "retrieval_z",
    "retrieval_z_raw",
    *CORRUPTED_PROBES,
)

#: What a study can select and report by: `val_<metric>` selects, `test_<metric>` reports.
METRICS = tuple(f"{probe}_accuracy" for probe in PROBES)
