"""Merge the texts of code, templates and scripts into every catalogue, and say what is still to be translated."""

from __future__ import annotations

from rdsim.languages import ENGLISH, language_codes
from rdsim.languages.catalogue import po_file
from tests.languages.extraction import merged, po_text


def main() -> None:
    """Merge, and tell."""
    for language in language_codes():
        if language == ENGLISH:
            continue
        found = merged(po_file(language))
        po_file(language).write_bytes(po_text(found))
        lacking = [message.id for message in found if message.id and not all(_forms(message.string))]
        print(f"{language}: {len(found)} texts, {len(lacking)} without a translation")
        for one in lacking:
            print(f"  {one[0] if isinstance(one, tuple) else one}")


def _forms(text: object) -> tuple[object, ...]:
    return text if isinstance(text, tuple) else (text,)


if __name__ == "__main__":
    main()
