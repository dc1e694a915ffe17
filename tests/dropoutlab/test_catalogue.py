import re

import pytest

from dropoutlab.catalogue import Part, entries, parse
from dropoutlab.proofs import PROOFS
from dropoutlab.studies.registry import find, names

IDS = [
    *(f"A-{i}" for i in range(1, 16)),
    *(f"B-{i}" for i in range(1, 27)),
    *(f"C-{i}" for i in range(1, 22)),
    *(f"X{i}" for i in range(1, 11)),
    *(f"R{i}" for i in range(1, 34)),
]


def test_every_claim_contradiction_and_replication_is_there_in_order():
    assert list(entries()) == IDS


def test_every_basis_exists():
    known = names()
    for entry in entries().values():
        if entry.proof:
            assert entry.proof in PROOFS
        for part in entry.parts:
            assert part.study in known, f"{entry.id} rests on the study {part.study!r}"
            criteria = {criterion.id for criterion in find(part.study).criteria}
            assert part.criterion in criteria, f"{entry.id}: {part.study} has no criterion {part.criterion!r}"


def test_statements_are_single_sentences_without_typed_results():
    for entry in entries().values():
        assert entry.statement.endswith(".")
        assert "pilot" not in entry.statement.lower()
        assert "  " not in entry.statement


def test_published_results_name_their_source_and_numbers():
    for name, entry in entries().items():
        if name.startswith("R"):
            assert entry.source
            assert entry.published
        else:
            assert entry.made_in


def test_claims_with_several_parts_say_what_tells_the_parts_apart():
    for entry in entries().values():
        if len(entry.parts) > 1:
            abouts = [part.about for part in entry.parts]
            assert all(abouts), entry.id
            assert len(set(abouts)) == len(abouts), entry.id


BASIS = {"proof": "scale_is_one_over_q"}
TEXTS = {"statement": "It is so.", "scope": "here"}


def test_a_table_becomes_an_entry():
    entry = parse("A-1", {**TEXTS, "parts": [{"study": "s", "criterion": "c", "opposite": True}]})
    assert entry.parts == (Part("s", "c", opposite=True),)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({**TEXTS, **BASIS, "verdict": "supported"}, "unknown keys ['verdict']"),
        ({"statement": "It is so.", **BASIS}, "scope must not be empty"),
        ({"statement": " ", "scope": "here", **BASIS}, "statement must not be empty"),
        (TEXTS, "needs a proof, parts, or a reason"),
        ({**TEXTS, "parts": []}, "needs a proof, parts, or a reason"),
        ({**TEXTS, **BASIS, "cited": "why"}, "needs a proof, parts, or a reason"),
    ],
)
def test_a_malformed_table_is_refused(fields, message):
    with pytest.raises(ValueError, match=f"^claim A-1: .*{re.escape(message)}"):
        parse("A-1", fields)
