"""Where results go: places claimed before the work, files written whole, documents read through a door."""

from __future__ import annotations

from rdsim.folders.documents import Digest, FileName, Part, Record, is_file_name, read_document, validated
from rdsim.folders.files import clear_parts, is_file, is_folder, is_part, write_whole
from rdsim.folders.manifests import MANIFEST, SWEEP, Manifest, listed, read_manifest
from rdsim.folders.place import Place, claim, claim_next, is_unfinished, new_folder, require_name, settle
from rdsim.folders.sharing import WORK, shared
from rdsim.folders.signals import terminate_like_ctrl_c, undisturbed

__all__ = [
    "MANIFEST",
    "SWEEP",
    "WORK",
    "Digest",
    "FileName",
    "Manifest",
    "Part",
    "Place",
    "Record",
    "claim",
    "claim_next",
    "clear_parts",
    "is_file",
    "is_file_name",
    "is_folder",
    "is_part",
    "is_unfinished",
    "listed",
    "new_folder",
    "read_document",
    "read_manifest",
    "require_name",
    "settle",
    "shared",
    "terminate_like_ctrl_c",
    "undisturbed",
    "validated",
    "write_whole",
]
