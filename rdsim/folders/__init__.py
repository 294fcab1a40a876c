"""Where results go: places claimed before the work, files written whole, documents read through a door."""

from __future__ import annotations

from rdsim.folders.answers import KeptAnswer, kept_answers
from rdsim.folders.documents import Digest, FileName, Part, Record, is_file_name, read_document, validate
from rdsim.folders.files import clear_parts, is_file, is_folder, is_part, write_whole
from rdsim.folders.manifests import (
    MANIFEST,
    SECONDS,
    SWEEP,
    Manifest,
    digest_of_manifest,
    own_files,
    read_manifest,
    without_times,
)
from rdsim.folders.place import Place, claim, claim_next, is_unfinished, new_folder, occupation, require_name, settle
from rdsim.folders.sharing import WORK, is_at_work, share
from rdsim.signals import hold_signals, terminate_like_ctrl_c

__all__ = [
    "MANIFEST",
    "SECONDS",
    "SWEEP",
    "WORK",
    "Digest",
    "FileName",
    "KeptAnswer",
    "Manifest",
    "Part",
    "Place",
    "Record",
    "claim",
    "claim_next",
    "clear_parts",
    "digest_of_manifest",
    "hold_signals",
    "is_at_work",
    "is_file",
    "is_file_name",
    "is_folder",
    "is_part",
    "is_unfinished",
    "kept_answers",
    "new_folder",
    "occupation",
    "own_files",
    "read_document",
    "read_manifest",
    "require_name",
    "settle",
    "share",
    "terminate_like_ctrl_c",
    "validate",
    "without_times",
    "write_whole",
]
